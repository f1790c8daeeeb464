"""What words on a screen are for: menus, addresses, search fields, buttons, clocks. No application is named here."""

import re

__all__ = [
    "ADDRESS",
    "BUTTON",
    "CLOCK",
    "CRUMBS",
    "DASH",
    "FIELD",
    "LETTERS_OF_A_TITLE",
    "MENU",
    "MENU_WORDS_AT_MOST",
    "PATH",
    "tidy",
]

LETTERS_OF_A_TITLE = 4
MENU = frozenset(
    re.findall(
        r"\w+",
        """file edit view help tools window windows insert format search settings options project projects run debug
        about bookmarks history terminal selection preferences document object render scene eile edil iools""",
    )
)
"Words of menu bars; the last three are how an underlined first letter is often read."
MENU_WORDS_AT_MOST = 14

ADDRESS = re.compile(
    r"https?[:/]|www\.|localhost|\b\d{1,3}(\.\d{1,3}){3}\b|:\d{4}\b|^\w[\w.-]*\.(com|org|net|io|dev|app|eu)\b(?! )",
    re.I,
)
PATH = re.compile(r"^\W*([A-Z]:)?[\\/]?\w+([\\/][\w.]+){2,}")
CRUMBS = re.compile(r"\w\s*([/>›»] | [/>›»])\s*\S")
"The way to where one is: `A / B`."
DASH = re.compile(r"\w\s*[-–—]\s+\w|\s[-–—]\s?\w")
"A document and its application: `A - B`."
CLOCK = re.compile(
    r"\b\d{1,2}:\d{2}\b|\d%|^(LTE|5G|4G|WiFi)$|\b(mon|tues|wednes|thurs|fri|satur|sun)day\b|"
    r"\b(january|february|march|april|june|july|august|september|october|november|december),? \d",
    re.I,
)
"Times, dates, and what else a status line holds."
FIELD = re.compile(r"\b(q? ?search|suche|recherche|buscar|filter|type (a|to|here)|typing|enter )|q?search\b", re.I)
"What stands grey in an entry field; a magnifying glass is read as Q."
BUTTON = re.compile(
    r"^\+|^(select|choose|watch|click) |^(add|create|new|save|cancel|ok|open|close|send|delete|edit|next|back|"
    r"submit|log ?in|sign ?in|sign ?up|log ?out|help|menu|select|show|hide|view|share|export|import|download|upload|"
    r"refresh|learn more|subscribe|"
    r"follow|reset|apply|docs|documentation|support|reply|forward|done|continue|update|remove|start|stop|run|play)$",
    re.I,
)

ICONS_BEFORE = re.compile(r"^[^\w(\[]+\s*|^(日|三|口)\s*")
WAY_BACK = re.compile(r"^Back (?=[A-Z])")
CLOSE_AFTER = re.compile(r"\s*[×✕+]+\s*$")


def tidy(text: str) -> str:
    """A line without what icons around it were read as, and without a way back before it."""
    return CLOSE_AFTER.sub("", WAY_BACK.sub("", ICONS_BEFORE.sub("", text))).strip()
