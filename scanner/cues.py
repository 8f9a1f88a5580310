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
    r"(?:passw|pass[_ -]?phrase|pass[_ -]?code|[^a-z]pass(?:_|\b)|(?-i:[a-z]Pass\b)|pwd|[^a-z]ps?w(?:_|\b)|secret|token|bearer|credential"
    rf"|authori[sz]ation|auth(?:[_-]?code)?\b|{_KEY}|{_FOREIGN})"
)
_NAME = rf"(?i:{_CORE}[\w.-]{{0,24}})"
_CLOSE = r"[\\\"'`\])]{0,4}"
_FIRST = r"[^\s\"'`(){}\[\]<>,;$&|*%=\\:]"
_OTHER = r"[^\s\"'`<>,;(){}]"
_QUOTED = r"[A-Za-z@]{0,2}\\{0,3}(?:\" ?[^\"\s{<]|' ?[^'\s{<]|` ?[^`\s{<])"

TRIGGER: tuple[str, ...] = (
    # name = "value", name: 'value', "name", "value", name("value"), name => `value`
    rf"{_NAME}{_CLOSE}[^\S\n]{{0,8}}(?:[.?+:=|]{{0,2}}[:=]{{1,3}}|=>|!==?|,|->|\(|- )\s{{0,8}}\[?{_QUOTED}",
    # name: str = "value", name string = "value"
    rf"{_NAME}\]?(?: ?: ?[\w.\[\]|<>? ]{{2,24}}| \*?(?:string|char)(?:\[\d{{0,4}}\])?) ?=\s{{0,4}}{_QUOTED}",
    # name = lookup("other", "value"), name = other || "value", name = wrapped("value")
    rf"{_NAME}{_CLOSE}[ \t]{{0,4}}[:=]{{1,2}}[ \t]{{0,4}}[\w.\[\](\'\":]{{2,60}}(?:\(|\|\||\?\?|or |\?:|,)[ \t]{{0,2}}{_QUOTED}",
    # name=value, name: value
    rf"{_NAME}{_CLOSE}[ \t]{{0,8}}(?:[:=]{{1,2}}|=>)[ \t]{{0,8}}{_FIRST}{_OTHER}{{3,39}}"
    r"(?:[\r\n\"'`,;&<)}\\]|$|[ \t]{1,4}(?:[#\\A-Z|&-]|//))",
    rf"{_NAME}{_CLOSE}[ \t]{{0,8}}(?:[:=]{{1,2}}|=>)[ \t]{{0,8}}{_FIRST}{_OTHER}{{39}}",
    rf"{_NAME}={_FIRST}{_OTHER}{{3,39}}[ \t][^ \t]",
    # anykey = "value" and token value, where the value is long and of one piece
    rf"(?i:key)s?{_CLOSE}[ \t]{{0,8}}(?:[.:]?=|:|=>|->)[ \t]{{0,8}}[\"'`]?[\w+/.~-]{{16}}",
    rf"(?i:token|secret|key|password)[ \t]{{1,3}}[A-Za-z0-9]{{16}}",
    # name: |(newline)value
    rf"{_NAME}: {{1,4}}[|>][-+0-9]{{0,2}}[ \t]{{0,4}}\r?\n[ \t]{{1,40}}[^\s-]",
    # --name value, ENV name value, name value
    rf"(?i:--?|/|ENV |ARG |^|[\n:])\s{{0,8}}(?i:[\w.-]{{0,40}}){_NAME}[ \t]{{1,4}}[\"']?[^\s\"'`(){{}}\[\]<>,;$&|*%=:\\-]"
    r"[^\s\"'`<>,;(){}=:]{3,80}[\"']?(?:[\r\n\"';]|$|[ \t]+[#\\|&-])",
    # PASSWORD 'value', IDENTIFIED BY 'value'
    r"(?i:identified (?:with \w{3,40} )?by|password) {1,2}[\"'][^\s\"']",
    # <name>value</name>
    rf"{_NAME}>\s{{0,40}}[^<>\s]{{4}}",
    # "name": "name", "value": "value"; name="name" value="value"; <key>name</key><string>value
    rf"{_NAME}\\?[\"']?[\s,]{{1,64}}\\?[\"']?(?i:(?:default)?value|content)\\?[\"']? {{0,2}}[:=]\s{{0,4}}[^\s{{\[]",
    rf"{_NAME}</(?i:key|name)>\s{{0,16}}<(?i:string|value)>[^<\s]",
    # "value" == name
    rf"[\"'`] {{0,2}}[!=]==? {{0,2}}(?i:[\w.$>-]{{0,40}}{_CORE})",
    # -u name:value; mysql -pvalue; sshpass -p value; calls that take a user's name and a password
    r"(?:-u|--user)[ =]{1,2}[\"']?[\w.@%+-]{1,64}:[^\s\"'$]",
    r"(?i:mysql|mysqldump|mysqladmin|sshpass|login|redis-cli|mongo|mongodump) [^\n]{0,80}-(?:p|a) ?[\"']?[^\s\"'$-]{3}",
    r"(?i:SecureString|NetworkCredential|[^a-z]auth ?=)[^\n]{0,48}[\"'][^\s\"'$]",
    # Authorization: Bearer value
    r"(?:[Bb]earer|BEARER|[ \"'`:]Basic) {1,2}[\w.~+/=-]{12}",
    # &name=value
    rf"[?&](?i:[\w.-]{{0,24}}){_NAME}=[^\s\"'&$<{{%(]{{4}}",
    # name=&quot;value, name\u0022value
    rf"{_NAME}(?:&quot;|&#3[49];)?[:=]\s{{0,2}}(?:&quot;|&#3[49];|\\u0022)[^\s&]",
    # the password is value, password for somebody: value
    rf"{_NAME}[ \t](?i:is|was|for [\w.@-]{{1,40}}|of [\w.@-]{{1,40}})[ \t]{{0,2}}[:=]?[ \t]{{0,2}}[\"'`]?[^\s\"'`]{{1,24}}[0-9!@#$%^&*]",
)
"""Hyperscan expressions over bytes, for block mode with prefiltering. They end inside the value, or right after it.

They say too much rather than too little: about a hundred hits a megabyte of source text, nearly all of which
`scanner.generic.find` turns down.
"""
