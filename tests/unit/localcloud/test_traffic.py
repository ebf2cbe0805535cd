from __future__ import annotations

from localcloud.traffic import Traffic


def test_the_highest_number_in_any_window_is_kept_for_all_and_for_each_route() -> None:
    traffic = Traffic()
    for now in (0.0, 0.5, 0.9, 1.6, 30.0, 59.9, 60.0, 200.0):
        route = "GET /a" if now < 1 else "GET /b"
        traffic.arrived(route, now)
        traffic.answered(route, 200 if now < 60 else 0)
    assert traffic.document() == {
        "total": 8,
        "highest": {"60s": 6, "1s": 3},
        "statuses": {"200": 6, "cut": 2},
        "routes": {
            "GET /a": {"total": 3, "highest": {"60s": 3, "1s": 3}, "statuses": {"200": 3}},
            "GET /b": {
                "total": 5,
                "highest": {"60s": 4, "1s": 2},
                "statuses": {"200": 3, "cut": 2},
            },
        },
    }
    traffic.forget()
    assert traffic.document() == {
        "total": 0,
        "highest": {"60s": 0, "1s": 0},
        "statuses": {},
        "routes": {},
    }
