from concurrent.futures import ThreadPoolExecutor

from tenantry.provisioning.sharing import Shared, sharing


def test_what_runs_share_is_made_once_and_closed_by_the_last() -> None:
    made: list[str] = []
    closed: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return f"the {key}"

    shared = Shared(make, closed.append)
    with sharing():
        with sharing(), ThreadPoolExecutor() as pool:
            assert set(pool.map(shared.get, ["a"] * 8)) == {"the a"}
        assert shared.get("b") == "the b"
        assert (made, closed) == (["a", "b"], [])
    assert closed == ["the a", "the b"]
    with sharing():
        assert shared.get("a") == "the a"
    assert made == ["a", "b", "a"]


def test_outside_of_a_run_it_stays() -> None:
    closed: list[str] = []
    shared = Shared(str, closed.append)
    assert shared.get("a") is shared.get("a")
    assert closed == []
    shared.close()
    assert closed == ["a"]
