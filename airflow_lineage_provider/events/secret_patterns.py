"""The forms in which secrets stand in text: SQL, URLs, DSNs, JSON, YAML, command lines, known tokens.

Own patterns instead of detect-secrets' or gitleaks': those report lines of a file that a person judges, while
here the secret alone must be replaced, in running text, some thousand times a second.
"""

from __future__ import annotations

import re

MASK = "***"

# How the name of a secret ends. `password_reset_count` and `secret_santa` end otherwise.
_KEY = (
    "(?:api|access|secret|account|shared_?access|private|encryption|signing|master|fernet|storage|sas|auth)"
)
_ENDING = (
    rf"(?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?|signature|authorization|{_KEY}[_-]?key"
    r"|access[_-]?key[_-]?secret|(?<![^\W_])sig)"
)
_NAME = rf"[\w.-]{{0,100}}?{_ENDING}(?!\w)"
_START = r"(?<![\w.-])"  # names are tried once for a run of their characters, so that the time is linear
SECRET_NAME = re.compile(rf"^{_NAME}$", re.IGNORECASE)

_QUOTED = r"""(?:'(?![,)\s])(?:[^'\\\n]|\\.|''){1,400}'|"(?![,)\s])(?:[^"\\\n]|\\.){1,400}")"""
_QUOTE = r"\\{0,3}[\"']"
_PLAIN_VALUE = (
    r"(?!(?:null|none|true|false|str|string|text|varchar|bytes|int|integer|bool)\b"
    r"|[?$%:{<*]|\d{1,4}\b|[A-Za-z_]\w*\.[A-Za-z_]\w*\b(?!\S)|(?:env_var|var|os)\b)"
)


def _pattern(text: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(text, flags)


PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (_pattern(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|$)", re.DOTALL), MASK),
    # a password between user and host; it may hold anything that precedes the last @ before a host's name
    (
        _pattern(r"(://[^\s/:@'\"]*):(?!\d{1,5}(?:[/?#\s'\"]|$))(?:(?!://)[^\n]){1,200}@(?=[\w\[*-])"),
        rf"\1:{MASK}@",
    ),
    # a token in the place of the user, as in https://token@github.com
    (_pattern(r"(\bhttps?://)[^\s/:@'\"]+@"), rf"\1{MASK}@"),
    # a parameter of a query or of a DSN
    (_pattern(rf"([?&;]{_NAME})=[^&;\s'\")]+"), rf"\1={MASK}"),
    # webhooks: the path is the secret
    (_pattern(r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[\w/+-]+"), rf"\1{MASK}"),
    (_pattern(r"(discord(?:app)?\.com/api/webhooks/\d+/)[\w-]+"), rf"\1{MASK}"),
    (_pattern(r"(webhook\.office\.com/webhookb2/)[\w@/-]+"), rf"\1{MASK}"),
    (_pattern(r"(hooks\.zapier\.com/hooks/catch/)[\w/-]+"), rf"\1{MASK}"),
    (_pattern(r"(api\.telegram\.org/bot)\d+:[\w-]+"), rf"\1{MASK}"),
    # known tokens, and JSON web tokens
    (
        _pattern(
            r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}"
            r"|(?:AKIA|ASIA)[A-Z0-9]{16}|[sr]k_(?:live|test)_\w{10,}|sk-[\w-]{20,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}"
            r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{20,}|dapi[a-f0-9]{32}|hv[sb]\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}"
            r"|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{16,}|hf_[A-Za-z0-9]{20,}|dckr_pat_[\w-]{20,}|dop_v1_[a-f0-9]{30,}"
            r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?)",
            re.NOFLAG,
        ),
        MASK,
    ),
    (_pattern(r"\b(Bearer|Basic) +[A-Za-z0-9._~+/-]{8,}=*", re.NOFLAG), rf"\1 {MASK}"),
    (_pattern(r"\b(Token) +(?=\S*\d)[A-Za-z0-9._~+/-]{8,}=*"), rf"\1 {MASK}"),
    # password: 'x', "password": "x", password='x', SET password = 'x', SECRET 'x', IDENTIFIED BY 'x'
    (
        _pattern(
            rf"({_START}(?:{_NAME}(?:{_QUOTE})?(?:\s*(?:=>|:=|=|:|\bTO\b)\s*|\s+)|IDENTIFIED\s+BY\s+)"
            rf"(?:(?:AS|BY|VALUES?|PASSWORD|ENCRYPTED)\s+)?){_QUOTED}"
        ),
        rf"\1'{MASK}'",
    ),
    # the same within a string of JSON: \"password\": \"x\"
    (
        _pattern(rf"((?<!\\)\\{{1,7}}\"{_NAME}\\{{1,7}}\"\s*:\s*\\{{1,7}}\")(?:[^\"\\\n]){{1,400}}(?=\\+\")"),
        rf"\1{MASK}",
    ),
    # --password x, --password=x
    (_pattern(rf"((?<![\w-])--{_NAME}(?:=|\s+))(?!['\"-])\S+"), rf"\1{MASK}"),
    # PGPASSWORD=x, password=x dbname=..., but not a.token=b.token
    (_pattern(rf"({_START}{_NAME}=){_PLAIN_VALUE}[^\s'\",;&)\]}}]+"), rf"\1{MASK}"),
    # a line of YAML, of an ini file or of a comment
    (
        _pattern(
            rf"(^[ \t\-#*/{{,]{{0,40}}(?:export\s+)?[\"']?{_NAME}[\"']?[ \t]*[:=][ \t]+){_PLAIN_VALUE}"
            r"(?=\S*[^A-Za-z_\s,]|\S{12,})(?!['\"])[^\s,;}]+",
            re.IGNORECASE | re.MULTILINE,
        ),
        rf"\1{MASK}",
    ),
)

# A comment of SQL, YAML or a shell, up to the end of its line, and a secret in it.
COMMENT = _pattern(r"(?:--|#|/\*)[^\n]*")
IN_COMMENT = _pattern(rf"({_START}{_NAME}\s*[:=]\s*){_PLAIN_VALUE}(?!['\"])[^\s,;*]+")

# At least one of these, in small letters, is in a text that a pattern can match.
HINTS = (
    *("@", "pass", "pwd", "secret", "token", "credential", "signature", "sig=", "authorization", "key"),
    *("bearer", "basic", "identified", "-----begin", "eyj", "hooks.", "webhook", "/bot"),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "akia", "asia", "k_live_"),
    *("k_test_", "sk-", "aiza", "ya29.", "npm_", "pypi-", "dapi", "hvs.", "hvb.", "sg.", "shp", "hf_"),
    *("dckr_pat", "dop_v1"),
)
