from tenantry.registry.problems import Problem, RegistryError


def test_a_problem_is_one_line_with_file_line_column_and_path() -> None:
    problem = Problem("tenants.yaml", 3, 5, "tenants.acme", "is missing")
    assert str(problem) == "tenants.yaml:3:5: tenants.acme: is missing"


def test_a_problem_of_the_whole_file_has_no_line_and_no_path() -> None:
    assert (
        str(Problem("tenants.yaml", 0, 0, "", "does not exist")) == "tenants.yaml: does not exist"
    )


def test_an_error_holds_each_problem_once_in_the_order_of_the_file() -> None:
    first, second, tenth = (Problem("f", line, 1, "", "m") for line in (1, 2, 10))
    error = RegistryError([tenth, second, first, second])
    assert error.problems == (first, second, tenth)
    assert str(error).splitlines() == ["f:1:1: m", "f:2:1: m", "f:10:1: m"]
