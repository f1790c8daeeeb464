"""What three screens say."""

CODE = (
    "parser.py - tidewatch - Editor",
    "def parse_header(line: str) -> Header:",
    "    name, value = line.split(':', 1)",
    "    return Header(name.strip(), value.strip())",
    "class Parser: reads messages line by line",
    "tests/test_parser.py  3 failed, 12 passed",
    "AssertionError: expected header Content-Type",
    "git commit -m 'Fix header parser'",
    "Run  Debug  Terminal  Problems",
)
FILM = (
    "Continue watching",
    "Season 2 Episode 5: The long way home",
    "Trending movies and series this week",
    "Play  Next episode  Subtitles  Full screen",
    "Because you watched Harbour Nights: drama, romance",
    "Top 10 films in your country today",
    "My list  Browse by genre  Kids",
    "Recommended comedy shows",
    "Skip intro",
)
SHEET = (
    "Budget 2031.xlsx - Spreadsheet",
    "Quarter  Revenue  Cost  Margin",
    "Q1  120,400  88,300  26.7%",
    "Q2  131,900  90,120  31.7%",
    "Total sales by region: north, south, export",
    "=SUM(B2:B5)",
    "Insert chart  Pivot table  Filter  Format cells",
    "Forecast of revenue for next year",
    "Sheet1  Costs  Summary",
)
