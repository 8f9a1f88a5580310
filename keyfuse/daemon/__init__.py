"""`keyfuse daemon`: watches, fetches on schedules, responds, and looks after what was begun. Wiring of threads only."""
