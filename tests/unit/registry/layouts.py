"""Registries in every layout: what a key has, how it is written, and what stands around it."""

from hypothesis import strategies as st

comments = st.sampled_from(["", " # c", "  #- {name: default, generation: 7}", " # ü\U0001f511"])
fields = st.fixed_dictionaries(
    {},
    optional={
        "scopes": st.sampled_from(["[read]", "[ read,write ]", '["read"]']),
        "generation": st.integers(1, 120).map(str),
        "revoked": st.sampled_from(["[]", "[1]", "[ 1 ]"]),
        "expires": st.sampled_from(["2027-06-30", "'2027-06-30'"]),
    },
)


@st.composite
def keys_in(draw: st.DrawFn, indent: int) -> str:
    names = draw(st.permutations(["default", "a", "b"]))[: draw(st.integers(1, 3))]
    if "default" not in names:
        names = [*names, "default"]
    entries = []
    for name in names:
        pairs = [("name", draw(st.sampled_from([name, f'"{name}"', f"'{name}'"])))]
        pairs = draw(st.permutations([*pairs, *draw(fields).items()]))
        entries.append(pairs)
    layout = draw(st.sampled_from(["flow", "items", "block"]))
    pad = " " * indent
    if layout == "flow":
        inner = ", ".join("{" + ", ".join(f"{k}: {v}" for k, v in pairs) + "}" for pairs in entries)
        return f"{pad}api_keys: [{inner}]{draw(comments)}\n"
    dash = pad + draw(st.sampled_from(["", "  ", "    "])) + "-"
    gap = draw(st.sampled_from([" ", "   "]))
    text = f"{pad}api_keys:{draw(comments)}\n"
    for pairs in entries:
        if layout == "items":
            end = draw(st.sampled_from(["}", " }", ",}"]))
            text += (
                f"{dash}{gap}{{{', '.join(f'{k}: {v}' for k, v in pairs)}{end}{draw(comments)}\n"
            )
            continue
        lead = dash + gap
        for name, value in pairs:
            written = value
            if name in {"scopes", "revoked"} and draw(st.booleans()) and value.strip("[] "):
                items = value.strip("[] ").split(",")
                written = "".join(f"\n{' ' * len(lead)}- {item}{draw(comments)}" for item in items)
            text += f"{lead}{name}: {written}{draw(comments)}\n"
            lead = " " * len(lead)
            text += draw(st.sampled_from(["", "\n", f"{lead}# between\n", "# at the margin\n"]))
    return text


@st.composite
def registries(draw: st.DrawFn) -> str:
    text = f"# a registry{draw(comments)}\nversion: 1\ndefaults: {{environment: staging, region: gwc}}\n"
    text += "tenants:\n  acme:\n    apps:\n"
    for app in draw(st.permutations(["web", "api", "old"])):
        text += f"      {app}:{draw(comments)}\n        deletion: delete\n{draw(keys_in(8))}"
        text += draw(st.sampled_from(["", "        services: [auth]\n", "\n\n"]))
    if draw(st.booleans()):
        text = text.rstrip("\n")
    ending = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return draw(st.sampled_from(["", "\ufeff"])) + text.replace("\n", ending)
