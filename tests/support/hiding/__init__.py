"""One repository for each place where git can hold a secret, with the secret in that place and no other."""

from tests.support.hiding import contents, forms, lost
from tests.support.hiding.place import PLACES, Hidden

__all__ = ["PLACES", "Hidden", "contents", "forms", "lost"]
