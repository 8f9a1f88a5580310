"""What the first pass looks for so that `scanner.assignments` need not look everywhere."""

from __future__ import annotations

_KEY = (
    r"(?:api|access|secret|private|encrypt|encryption|decryption|auth|app|application|client|consumer|master|sign|signing"
    r"|shared|account|service|license|aes|hmac|jwt|session|storage|subscription|crypto|cipher|root|admin|integration"
    r"|webhook|developer|partner|merchant|customer|user|team|project|server|write|deploy|registration)[_. -]?key"
)
_FOREIGN = (
    r"kennwort|senha|contrase|de[ _-]passe|\xe5\xaf\x86\xe7\xa0\x81|\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8"
    r"|\xed\x8c\xa8\xec\x8a\xa4\xec\x9b\x8c\xeb\x93\x9c|\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"
)
_CORE = (
    r"(?:passw|pass[_ -]?phrase|pass[_ -]?code|[^a-z]pass(?:_|\b)|(?-i:[a-z]Pass\b)|pwd|[^a-z]ps?w(?:_|\b)"
    r"|(?:db|user|my|root|admin|smtp|ftp|ldap|mail|bind|sql|svc)p(?:ass|w)(?:_|\b)"
    rf"|secret|token|bearer|credential|authori[sz]ation|auth(?:[_-]?code)?\b|{_KEY}|{_FOREIGN})"
)
_NAME = rf"(?i:{_CORE}[\w.-]{{0,24}})"
_CLOSE = r"[\\\"'`\])]{0,4}(?:\[\w{0,6}\])?"
_FIRST = r"[^\s\"'`(){}\[\]<>,;$&|*%=\\:]"
_OTHER = r"[^\s\"'`<>,;(){}]"
_LONG = rf"{_FIRST}{_OTHER}{{3,39}}"
_QUOTED = r"[A-Za-z@]{0,2}\\{0,3}(?:\"(?:\"\")? ?[^\"\s{<]|'(?:'')? ?[^'\s{<]|` ?[^`\s{<])"

_IS = r"(?:[:=]{1,2}|=>)"
_BLANK = r"[ \t]{0,8}"

_AFTER_NAME = (
    # a quoted value: assigned, compared, listed, called, mapped
    rf"{_CLOSE}[^\S\n]{{0,8}}(?:[.?+:=|]{{0,2}}[:=]{{1,3}}|=>|!==?|,|->|\(|- |\|\||\?\?|or )\s{{0,8}}\[?{_QUOTED}",
    # the same with a type between them
    rf"\]?(?: ?: ?[\w.\[\]|<>? ]{{2,24}}| \*?(?:string|char)(?:\[\d{{0,4}}\])?) ?=\s{{0,4}}{_QUOTED}",
    # the same with another expression before the value, or around it
    rf"{_CLOSE}{_BLANK}[:=]{{1,2}}{_BLANK}[\w.\[\](\'\":]{{2,60}}(?:\(|\|\||\?\?|or |\?:|,)[ \t]{{0,2}}{_QUOTED}",
    # a bare value
    (
        rf"{_CLOSE}{_BLANK}{_IS}{_BLANK}(?:&[\w-]{{1,32}} |!!\w{{1,8}} )?{_LONG}"
        r"(?:[\r\n\"'`,;&<)}\\]|$|[ \t]{1,4}(?:[#\\A-Z|&-]|//))"
    ),
    rf"{_CLOSE}{_BLANK}{_IS}{_BLANK}{_FIRST}{_OTHER}{{39}}",
    rf"={_LONG}[ \t][^ \t]",
    # a block of YAML
    r": {1,4}[|>][-+0-9]{0,2}[ \t]{0,4}\r?\n[ \t]{1,40}[^\s-]",
    # elements, and things that have a name and a value
    r">\s{0,40}[^<>\s]{4}",
    r"\\?[\"']?[\s,]{1,64}\\?[\"']?(?i:(?:default)?value|content)\\?[\"']? {0,2}[:=]\s{0,4}[^\s{\[]",
    r"</(?i:key|name)>\s{0,16}<(?i:string|value)>[^<\s]",
    # quotes in HTML and JavaScript
    r"(?:&quot;|&#3[49];)?[:=]\s{0,2}(?:&quot;|&#3[49];|\\u0022)[^\s&]",
    # a variable's default in HCL
    r"[\"']? \{[^{}]{0,160}\bdefault {0,8}= {0,4}\"[^\"\s]",
    # prose
    (
        r"[ \t](?i:is|was|for [\w.@-]{1,40}|of [\w.@-]{1,40})[ \t]{0,2}[:=]?[ \t]{0,2}"
        r"[\"'`]?[^\s\"'`]{1,24}[0-9!@#$%^&*]"
    ),
)

NAMED = "named"
"""What a pattern of TRIGGER means, where other patterns name an encoding: a name and its value, to be judged."""

TRIGGER: tuple[str, ...] = (
    # one expression for all that begin with a name: three times faster than one for each
    rf"{_NAME}(?:{'|'.join(_AFTER_NAME)})",
    # a key of any sort, and a name without a sign, where the value is long and of one piece
    rf"(?i:key)s?{_CLOSE}{_BLANK}(?:[.:]?=|:|=>|->){_BLANK}[\"'`]?[\w+/.~-]{{16}}",
    r"(?i:token|secret|key|password)[ \t]{1,3}[A-Za-z0-9]{16}",
    # options, directives
    (
        rf"(?i:--?|/|ENV |ARG |^|[\n:])\s{{0,8}}(?i:[\w.-]{{0,40}}){_NAME}[ \t]{{1,4}}[\"']?"
        r"[^\s\"'`(){}\[\]<>,;$&|*%=:\\-]"
        r"[^\s\"'`<>,;(){}=:]{3,80}[\"']?(?:[\r\n\"';]|$|[ \t]+[#\\|&-])"
    ),
    # SQL
    r"(?i:identified (?:with \w{3,40} )?by|password) {1,2}[\"'][^\s\"']",
    # compared the other way round
    rf"[\"'`] {{0,2}}[!=]==? {{0,2}}(?i:[\w.$>-]{{0,40}}{_CORE})",
    # commands and calls that take a user's name and a password
    r"(?:-u|--user)[ =]{1,2}[\"']?[\w.@%+-]{1,64}:[^\s\"'$]",
    r"(?i:mysql|mysqldump|mysqladmin|sshpass|login|redis-cli|mongo|mongodump) [^\n]{0,80}-(?:p|a) ?[\"']?[^\s\"'$-]{3}",
    r"(?i:SecureString|NetworkCredential|[^a-z]auth ?=)[^\n]{0,48}[\"'][^\s\"'$]",
    # headers
    r"(?:[Bb]earer|BEARER|[ \"'`:]Basic) {1,2}[\w.~+/=-]{12}",
    # queries
    rf"[?&](?i:[\w.-]{{0,24}}){_NAME}=[^\s\"'&$<{{%(]{{4}}",
)
"""Hyperscan expressions over bytes, for block mode with prefiltering. They end inside the value, or right after it.

They say too much rather than too little: about a hundred hits a megabyte of source text, nearly all of which
`scanner.generic.find` turns down.
"""
