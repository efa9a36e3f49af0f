"""The demo's programming tasks: functions over lists and strings, described, with their tests."""
