"""Every kind of bad registry that we know, and the exact lines that the operator reads."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tenantry.registry import RegistryError, parse

HEAD = "version: 1\n"
APP = (
    HEAD
    + """tenants:
  acme:
    apps:
      web:
        environment: production
        region: aws-us-east-2
"""
)
DB = APP + "        database:\n"
REGIONS = (
    "aws-us-east-1, aws-us-east-2, aws-us-west-2, aws-eu-central-1, aws-eu-west-2, aws-ap-southeast-1, "
    "aws-ap-southeast-2, aws-sa-east-1, azure-eastus2, azure-westus3, azure-gwc"
)
WEB = "tenants.acme.apps.web"


class Bad(NamedTuple):
    kind: str
    content: str | bytes
    lines: tuple[str, ...]


EACH = (
    APP
    + "        graphs_per_user: {type: professional-db, cloud: gcp, region: us-central1, memory: 1GB"
)


BAD = [
    Bad(
        "users twice",
        EACH + ", users: [a, b, a]}\n",
        (f'8:110: {WEB}.graphs_per_user.users[2]: "a" is in the list twice: keep one',),
    ),
    Bad(
        "users that are none",
        EACH + ", users: [a b, ../c, -d]}\n",
        tuple(
            f'8:{column}: {WEB}.graphs_per_user.users[{n}]: "{word}" is not a user\'s id: write 1 to 128 letters, digits and '
            ". _ @ | + -, beginning and ending with a letter or a digit"
            for n, (column, word) in enumerate([(104, "a b"), (109, "../c"), (115, "-d")])
        ),
    ),
    Bad(
        "graphs for nobody in particular",
        EACH + "}\n",
        (f'8:26: {WEB}.graphs_per_user: needs one of "users" and "users_file", and not both',),
    ),
    Bad(
        "users from two sources",
        EACH + ", users: [], users_file: ./u}\n",
        (f'8:26: {WEB}.graphs_per_user: needs one of "users" and "users_file", and not both',),
    ),
    Bad(
        "a file of users that is not there",
        EACH + ", users_file: ./no-such-file}\n",
        (
            f"8:108: {WEB}.graphs_per_user.users_file: ./no-such-file cannot be read: No such file or directory",
        ),
    ),
    Bad(
        "what the free tier has not",
        APP
        + "        graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1GB, paused: true, snapshot_before_delete: true}\n",
        (
            f"8:86: {WEB}.graph.paused: is not offered with type free-db: write false, or another type",
            f"8:116: {WEB}.graph.snapshot_before_delete: is not offered with type free-db: write false, or another type",
        ),
    ),
    Bad(
        "no id of a project",
        APP + "        adopt: {project: 'Flat Bread'}\n",
        (
            f'8:26: {WEB}.adopt.project: "Flat Bread" is not the id of a Neon project: write it as Neon shows it, such as flat-bread-90066822',
        ),
    ),
    Bad(
        "a project for two apps",
        APP
        + "        adopt: {project: p-1}\n"
        + "      two: {environment: staging, region: us-east-1, adopt: {project: p-1}}\n",
        (
            "9:71: tenants.acme.apps.two.adopt.project: acme/web adopts the same project (line 5): a project is one app's",
        ),
    ),
    Bad(
        "a key that looks like none",
        HEAD + "tenants: {'[key]': {nam: x, apps: {'[key]': {'[key]': 1}}}}\n",
        (
            '2:11: tenants."[key]": "[key]" is not a name: a name is lower-case letters, digits and single hyphens inside, and begins with a letter (did you mean "key"?)',
            '2:21: tenants."[key]".nam: is not a key here: write one of name, contact, quotas, budget, renamed_from, apps (did you mean "name"?)',
            '2:36: tenants."[key]".apps."[key]": "[key]" is not a name: a name is lower-case letters, digits and single hyphens inside, and begins with a letter (did you mean "key"?)',
            '2:46: tenants."[key]".apps."[key]"."[key]": is not a key here: write one of environment, region, database, services, api_keys, deletion, quotas, retries, graph, graphs_per_user, budget, renamed_from, adopt',
        ),
    ),
    Bad(
        "a backslash in double quotes",
        DB + '          url_scheme: "a\\qb"\n',
        ('9:25: is not valid YAML: a "\\" in double quotes: double it, or use single quotes',),
    ),
    Bad(
        "no revision",
        DB + "          schema: {template: base, revision: 'a;b'}\n",
        (
            f'9:46: {WEB}.database.schema.revision: "a;b" is not a revision: write its id, or "head"',
        ),
    ),
    Bad(
        "a merge of an alias without anchor",
        APP + "        <<: *nope\n",
        (f'8:13: {WEB}.<<: the alias "*nope" has no anchor "&nope" before it',),
    ),
    Bad(
        "a tenant named all",
        HEAD + "tenants: {all: {apps: {}}}\n",
        ('2:11: tenants.all: "all" is reserved, it selects every app: write another name',),
    ),
    Bad(
        "a URL with a password for a scheme",
        DB + "          url_scheme: postgresql://u:hunter2@h/d\n",
        (
            f'9:23: {WEB}.database.url_scheme: a whole URL is not a URL scheme: lower-case letters, digits, +, - and ., starting with a letter, such as "postgresql" (without "://")',
        ),
    ),
    Bad(
        "a line break in a value",
        DB + '          statement_timeout: "3\\n0"\n',
        (
            f'9:30: {WEB}.database.statement_timeout: "3\\n0" is not a duration: write a whole number and a unit (ms, s, m, h, d, w), such as "30s"',
        ),
    ),
    Bad(
        "an unknown key",
        APP + "        databse: {}\n",
        (
            f'8:9: {WEB}.databse: is not a key here: write one of environment, region, database, services, api_keys, deletion, quotas, retries, graph, graphs_per_user, budget, renamed_from, adopt (did you mean "database"?)',
        ),
    ),
    Bad(
        "an unknown key at the top",
        HEAD + "tenant: {}\ntenants: {}\n",
        (
            '2:1: tenant: is not a key here: write one of version, namespace, limits, templates, defaults, tenants, self_service, notify, prices (did you mean "tenants"?)',
        ),
    ),
    Bad(
        "a limit that would be raised",
        HEAD + "limits: {removals: 11%}\ntenants: {}\n",
        (
            '2:20: limits.removals: "11%" is out of range: 0% to 10%; more goes only by name, in a run (--allow-destroy)',
        ),
    ),
    Bad(
        "a limit without its sign",
        HEAD + "limits: {removals: 5}\ntenants: {}\n",
        ('2:20: limits.removals: must be a share such as "5%", not 5',),
    ),
    Bad(
        "a limit that is no whole percent",
        HEAD + "limits: {removals: 2.5%}\ntenants: {}\n",
        ('2:20: limits.removals: "2.5%" is not a share: write whole percent, such as "5%"',),
    ),
    Bad(
        "an unknown key deep inside",
        DB + "          compute: {min: 1}\n",
        (
            f'9:21: {WEB}.database.compute.min: is not a key here: write one of min_cu, max_cu, suspend_after (did you mean "min_cu"?)',
        ),
    ),
    Bad(
        "a word for a number",
        DB + "          connection_limit: many\n",
        (f'9:29: {WEB}.database.connection_limit: must be a whole number, not "many"',),
    ),
    Bad(
        "a number in quotes",
        DB + '          connection_limit: "20"\n',
        (
            f'9:29: {WEB}.database.connection_limit: must be a whole number, not "20": write it in decimal, without quotes or leading zeros',
        ),
    ),
    Bad(
        "an octal number",
        DB + "          connection_limit: 017\n",
        (
            f'9:29: {WEB}.database.connection_limit: must be a whole number, not "017": write it in decimal, without quotes or leading zeros',
        ),
    ),
    Bad(
        "a fraction for a whole number",
        DB + "          connection_limit: 2.5\n",
        (f"9:29: {WEB}.database.connection_limit: must be a whole number, not 2.5",),
    ),
    Bad(
        "true for a number",
        DB + "          connection_limit: true\n",
        (f"9:29: {WEB}.database.connection_limit: must be a whole number, not true",),
    ),
    Bad(
        "no connection limit",
        DB + "          connection_limit: -1\n",
        (
            f"9:29: {WEB}.database.connection_limit: -1 would mean no limit, and one app could use up its compute: write how many it needs",
        ),
    ),
    Bad(
        "more connections than the compute has",
        DB + "          connection_limit: 900\n",
        (
            f"9:29: {WEB}.database.connection_limit: 900 is more than the 832 connections of a compute with max_cu 2: lower it, or raise max_cu",
        ),
    ),
    Bad(
        "more connections than any compute has",
        DB + "          connection_limit: 90000\n",
        (f"9:29: {WEB}.database.connection_limit: 90000 is out of range: 1 to 3993",),
    ),
    Bad(
        "an unknown unit",
        DB + "          statement_timeout: 30sec\n",
        (
            f'9:30: {WEB}.database.statement_timeout: "30sec" is not a duration: write a whole number and a unit (ms, s, m, h, d, w), such as "30s"',
        ),
    ),
    Bad(
        "a unit in capitals after a blank",
        DB + "          statement_timeout: 30 S\n",
        (
            f'9:30: {WEB}.database.statement_timeout: "30 S" is not a duration: write a whole number and a unit (ms, s, m, h, d, w), such as "30s" (did you mean "30s"?)',
        ),
    ),
    Bad(
        "a duration without a unit",
        DB + "          statement_timeout: 30\n",
        (
            f'9:30: {WEB}.database.statement_timeout: 30 has no unit: write it with one of ms, s, m, h, d, w, such as "30s"',
        ),
    ),
    Bad(
        "a duration with a colon",
        DB + "          statement_timeout: 1:30\n",
        (
            f'9:30: {WEB}.database.statement_timeout: "1:30" is not a duration: write a whole number and a unit (ms, s, m, h, d, w), such as "30s"',
        ),
    ),
    Bad(
        "a timeout of zero",
        DB + "          statement_timeout: 0s\n",
        (f'9:30: {WEB}.database.statement_timeout: "0s" is out of range: 1ms to 24d',),
    ),
    Bad(
        "too short a suspend time",
        DB + "          compute: {suspend_after: 30s}\n",
        (
            f'9:36: {WEB}.database.compute.suspend_after: "30s" is out of range: 1m to 1w, or "never"',
        ),
    ),
    Bad(
        "a fraction of a second",
        DB + "          compute: {suspend_after: 60500ms}\n",
        (
            f'9:36: {WEB}.database.compute.suspend_after: "60500ms" is out of range: 1m to 1w in whole seconds, or "never"',
        ),
    ),
    Bad(
        "never in capitals",
        DB + "          compute: {suspend_after: Never}\n",
        (
            f'9:36: {WEB}.database.compute.suspend_after: "Never" is not a duration: write a whole number and a unit (ms, s, m, h, d, w), such as "5m", or "never"',
        ),
    ),
    Bad(
        "off for never",
        DB + "          compute: {suspend_after: off}\n",
        (
            f'9:36: {WEB}.database.compute.suspend_after: "off" is not a duration: write a whole number and a unit (ms, s, m, h, d, w), such as "5m", or "never"',
        ),
    ),
    Bad(
        "too long a retention",
        DB + "          history_retention: 31d\n",
        (f'9:30: {WEB}.database.history_retention: "31d" is out of range: 0s to 30d',),
    ),
    Bad(
        "a duplicate key",
        DB + "          url_scheme: a\n          url_scheme: b\n",
        (
            f"10:11: {WEB}.database.url_scheme: is written twice: first at line 9, again here; keep one",
        ),
    ),
    Bad(
        "a merge key twice",
        APP + "        <<: {deletion: delete}\n        <<: {deletion: retain, regio: x}\n",
        (
            f"9:9: {WEB}.<<: is written twice: first at line 8, again here; keep one, a list merges several",
        ),
    ),
    Bad(
        "a merge key twice, the second faulty",
        HEAD + "tenants: {acme: {apps: {}, <<: {name: a}, <<: *b}}\n",
        (
            "2:43: tenants.acme.<<: is written twice: first at line 2, again here; keep one, a list merges several",
            '2:47: tenants.acme.<<: the alias "*b" has no anchor "&b" before it',
        ),
    ),
    Bad(
        "a duplicate app",
        APP + "      web:\n        region: aws-us-east-1\n",
        (f"8:7: {WEB}: is written twice: first at line 5, again here; keep one",),
    ),
    Bad(
        "a duplicate app with a fault in the first",
        APP + "        deletion: perhaps\n      web: {}\n",
        (
            f'8:19: {WEB}.deletion: "perhaps" is not known: write one of protect, retain, delete',
            f"9:7: {WEB}: is written twice: first at line 5, again here; keep one",
        ),
    ),
    Bad(
        "a region misspelt",
        HEAD
        + "tenants:\n  acme:\n    apps:\n      web:\n        environment: production\n        region: aws-us-east-9\n",
        (
            f'7:17: {WEB}.region: "aws-us-east-9" is not a region of Neon: write one of {REGIONS} (did you mean "aws-us-east-2"?)',
        ),
    ),
    Bad(
        "a region that is nowhere",
        HEAD
        + "tenants:\n  acme:\n    apps:\n      web:\n        environment: production\n        region: mars\n",
        (f'7:17: {WEB}.region: "mars" is not a region of Neon: write one of {REGIONS}',),
    ),
    Bad(
        "a region of a cloud that Neon is not on",
        APP.replace("aws-us-east-2", "gcp-us-central1"),
        (
            f'7:17: {WEB}.region: "gcp-us-central1" is not a region of Neon, which has none on gcp: write one of {REGIONS}',
        ),
    ),
    Bad(
        "another version",
        "version: 2\ntenants:\n  acme:\n    apps:\n      web:\n        environment: production\n        region: aws-us-east-2\n",
        ("1:10: version: must be the number 1, the only version of the format, not 2",),
    ),
    Bad(
        "a version in quotes",
        'version: "1"\ntenants:\n  acme:\n    apps:\n      web:\n        environment: production\n        region: aws-us-east-2\n',
        ('1:10: version: must be the number 1, the only version of the format, not "1"',),
    ),
    Bad(
        "no version",
        "tenants: {}\n",
        ('1:1: version: is missing: the file starts with "version: 1"',),
    ),
    Bad(
        "too many API keys",
        APP + "        quotas: {api_keys: 1}\n        api_keys: [{name: a}, {name: b}]\n",
        (
            f"9:19: {WEB}.api_keys: 2 of them, and the quota is 1: remove some, or raise quotas.api_keys",
        ),
    ),
    Bad(
        "too many services",
        APP + "        quotas: {services: 1}\n        services: [auth, storage]\n",
        (
            f"9:19: {WEB}.services: 2 of them, and the quota is 1: remove some, or raise quotas.services",
        ),
    ),
    Bad(
        "more API keys than the tenant's quota",
        HEAD
        + "tenants:\n  acme:\n    quotas: {api_keys: 1}\n    apps:\n      web:\n        environment: staging\n        region: us-east-1\n        api_keys: [{name: a}, {name: b}]\n",
        (
            f"9:19: {WEB}.api_keys: 2 of them, and the quota is 1: remove some, or raise quotas.api_keys",
        ),
    ),
    Bad(
        "a name too long",
        HEAD
        + "tenants:\n  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: {apps: {}}\n",
        (
            '3:3: tenants.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…" is not a name: a name has at most 63 characters, this one has 64',
        ),
    ),
    Bad(
        "a name with capitals",
        HEAD + "tenants:\n  Acme_Inc: {apps: {}}\n",
        (
            '3:3: tenants.Acme_Inc: "Acme_Inc" is not a name: a name is lower-case letters, digits and single hyphens inside, and begins with a letter (did you mean "acme-inc"?)',
        ),
    ),
    Bad(
        "a name with two hyphens",
        HEAD + "tenants:\n  a--b: {apps: {}}\n",
        (
            '3:3: tenants.a--b: "a--b" is not a name: a name is lower-case letters, digits and single hyphens inside, and begins with a letter (did you mean "a-b"?)',
        ),
    ),
    Bad(
        "a number for a key",
        HEAD + "tenants:\n  123: {apps: {}}\n",
        ('3:3: tenants: the key "123" is not text: write a name that starts with a letter',),
    ),
    Bad(
        "nothing for a key",
        HEAD + "tenants:\n  ~: {apps: {}}\n",
        ('3:3: tenants: the key "~" is not text: write a name that starts with a letter',),
    ),
    Bad(
        "a list for a key",
        HEAD + "tenants:\n  [a]: {apps: {}}\n",
        ("3:3: tenants: a key must be text, not a list or a mapping",),
    ),
    Bad(
        "a tab",
        HEAD + "tenants:\n\tacme: {}\n",
        ("3:1: a tab is used to indent: YAML allows spaces only",),
    ),
    Bad(
        "a tab further down",
        HEAD + "tenants:\n  acme:\n\t  apps: {}\n",
        ("4:1: a tab is used to indent: YAML allows spaces only",),
    ),
    Bad(
        "an empty file",
        "",
        (
            '1:1: the file is empty: a registry starts with "version: 1"; one without tenants says "tenants: {}"',
        ),
    ),
    Bad(
        "only comments",
        "# nothing\n",
        (
            '1:1: the file is empty: a registry starts with "version: 1"; one without tenants says "tenants: {}"',
        ),
    ),
    Bad(
        "nothing but null",
        "# nothing\n\nnull\n",
        (
            '3:1: the file is empty: a registry starts with "version: 1"; one without tenants says "tenants: {}"',
        ),
    ),
    Bad(
        "nothing but a start",
        "---\n",
        (
            '1:1: the file is empty: a registry starts with "version: 1"; one without tenants says "tenants: {}"',
        ),
    ),
    Bad(
        "cut off in a quote",
        APP + '        database: {url_scheme: "post',
        ("8:32: a quote is opened here and never closed: close it; or is the file cut off?",),
    ),
    Bad(
        "cut off in a bracket",
        APP + "        services: [auth,",
        (
            '8:19: a list in brackets is opened here and never closed: add its "]"; or is the file cut off?',
        ),
    ),
    Bad(
        "cut off behind a bracket that is closed",
        APP + "        database: {branches: {a: {}}, extensions: [hstore]\n\n# more\n\n",
        (
            '8:19: a mapping in braces is opened here and never closed: add its "}"; or is the file cut off?',
        ),
    ),
    Bad(
        "cut off in a bracket in a bracket",
        APP + "        database: {extensions: [hstore,\n            citext\n",
        (
            '8:32: a list in brackets is opened here and never closed: add its "]"; or is the file cut off?',
        ),
    ),
    Bad(
        "cut off in a key",
        APP + "        datab",
        ('8:9: a key without ":" after it: add it; or is the file cut off here?',),
    ),
    Bad(
        "a stray word after the last line",
        APP + "x\n\n",
        ('8:1: a key without ":" after it: add it; or is the file cut off here?',),
    ),
    Bad(
        "a stray word of several lines",
        APP + "x\n  y\n  z\n",
        ('8:1: a key without ":" after it: add it; or is the file cut off here?',),
    ),
    Bad(
        "a stray word before a comment",
        APP + "x\n# c\n",
        ('8:1: a key without ":" after it: add it; or is the file cut off here?',),
    ),
    Bad(
        "cut off in an alias",
        APP + "        database: *",
        ("8:19: the file ends in the middle of a value: is it cut off?",),
    ),
    Bad(
        "cut off after database",
        DB,
        (
            f'8:9: {WEB}.database: is empty: the file may be cut off here; write "database: {{}}" to add nothing, or delete the key',
        ),
    ),
    Bad(
        "cut off after an app",
        HEAD + "tenants:\n  acme:\n    apps:\n      web:\n",
        (
            f'5:7: {WEB}: is empty: the file may be cut off here; an app that takes every default is written "web: {{}}"',
        ),
    ),
    Bad(
        "cut off after apps",
        HEAD + "tenants:\n  acme:\n    apps:\n",
        (
            '4:5: tenants.acme.apps: is empty: the file may be cut off here; a tenant without apps says "apps: {}"',
        ),
    ),
    Bad(
        "cut off after a tenant",
        HEAD + "tenants:\n  acme:\n",
        (
            '3:3: tenants.acme: is empty: the file may be cut off here; a tenant has at least "apps: {}"',
        ),
    ),
    Bad(
        "cut off after a tenant's name",
        HEAD + "tenants:\n  acme:\n    name: A\n",
        (
            '3:3: tenants.acme.apps: is missing: the file may be cut off; a tenant without apps says "apps: {}"',
        ),
    ),
    Bad(
        "cut off after tenants",
        HEAD + "tenants:\n",
        (
            '2:1: tenants: is empty: the file may be cut off here; a registry without tenants says "tenants: {}"',
        ),
    ),
    Bad(
        "cut off after version",
        HEAD,
        (
            '1:1: tenants: is missing: the file may be cut off; a registry without tenants says "tenants: {}"',
        ),
    ),
    Bad(
        "a list for a mapping",
        HEAD + "tenants:\n  - acme\n",
        ("3:3: tenants: must be a mapping, not a list",),
    ),
    Bad(
        "a mapping for a list",
        APP + "        services: {auth: true}\n",
        (f"8:19: {WEB}.services: must be a list, not a mapping",),
    ),
    Bad(
        "a word for a list",
        APP + "        services: auth\n",
        (f'8:19: {WEB}.services: must be a list, not "auth": write it in brackets, [auth]',),
    ),
    Bad(
        "a word for the file",
        "hello\n",
        ('1:1: must be a mapping with version and tenants, not "hello"',),
    ),
    Bad(
        "a list for the file",
        "- a\n",
        ("1:1: must be a mapping with version and tenants, not a list",),
    ),
    Bad(
        "an alias before its anchor",
        HEAD
        + "tenants:\n  acme:\n    apps:\n      web:\n        environment: *envv\n        region: aws-us-east-2\n        contact: &env x\n",
        (
            f'6:22: {WEB}.environment: the alias "*envv" has no anchor "&envv" before it',
            f"8:9: {WEB}.contact: is not a key here: write one of environment, region, database, services, api_keys, deletion, quotas, retries, graph, graphs_per_user, budget, renamed_from, adopt",
        ),
    ),
    Bad(
        "an alias misspelt",
        HEAD + "defaults: &base {region: us-east-1}\ntenants: {acme: {apps: {web: *bse}}}\n",
        (f'3:30: {WEB}: the alias "*bse" has no anchor "&bse" before it (did you mean "base"?)',),
    ),
    Bad(
        "an alias inside its anchor",
        HEAD + "tenants: &t\n  acme: *t\n",
        ('3:9: tenants.acme: the alias "*t" stands inside its own anchor: remove it',),
    ),
    Bad(
        "a fault under an alias for a key",
        HEAD
        + "tenants: {acme: {name: &n web, apps: {*n : {environment: staging, region: nowhere}}}}\n",
        (f'2:75: {WEB}.region: "nowhere" is not a region of Neon: write one of {REGIONS}',),
    ),
    Bad(
        "an anchor twice",
        HEAD + "defaults: {region: &r us-east-1, environment: &r staging}\ntenants: {}\n",
        ('2:47: defaults.environment: the anchor "&r" is defined twice: rename one',),
    ),
    Bad(
        "a merge of a number",
        APP + "        <<: 5\n",
        (f"8:9: {WEB}.<<: must name a mapping (*anchor) or a list of them, not 5",),
    ),
    Bad(
        "a fault used through an alias",
        HEAD
        + "defaults:\n  database: &d\n    connection_limit: 0\ntenants:\n  acme:\n    apps:\n      web:\n        environment: staging\n        region: us-east-1\n        database: *d\n",
        (
            "4:23: defaults.database.connection_limit: 0 is out of range: 1 to 3993",
            f"11:19: {WEB}.database.connection_limit: 0 is out of range: 1 to 3993 (the value is written at line 4)",
        ),
    ),
    Bad(
        "a fault used through a merge",
        HEAD
        + "defaults:\n  database: &d\n    connection_limit: 0\ntenants:\n  acme:\n    apps:\n      web:\n        environment: staging\n        region: us-east-1\n        database:\n          <<: *d\n",
        (
            "4:23: defaults.database.connection_limit: 0 is out of range: 1 to 3993",
            f"12:11: {WEB}.database.connection_limit: 0 is out of range: 1 to 3993 (the value is written at line 4)",
        ),
    ),
    Bad(
        "a fault used through a list of merges",
        HEAD
        + "defaults: {database: &a {postgres_version: 16}, quotas: &b {databases: 0}}\ntenants: {acme: {apps: {web: {environment: staging, region: us-east-1, quotas: {<<: [*b]}}}}}\n",
        (
            "2:72: defaults.quotas.databases: 0 is out of range: 1 to 1000",
            f"3:81: {WEB}.quotas.databases: 0 is out of range: 1 to 1000 (the value is written at line 2)",
        ),
    ),
    Bad(
        "an alias that repeats an item",
        HEAD
        + "defaults: {region: &r us-east-1, services: [&s auth, *s]}\ntenants: {acme: {apps: {web: {environment: staging}}}}\n",
        (
            '2:54: defaults.services[1]: "auth" is in the list twice: keep one (the value is written at line 2)',
        ),
    ),
    Bad(
        "aliases that multiply",
        HEAD
        + "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\ng: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]\n",
        ("7:36: f[7]: the aliases up to here stand for more than 1000000 values: write them out",),
    ),
    Bad(
        "two documents",
        HEAD + "tenants: {}\n---\nversion: 1\n",
        ('3:1: a second document begins here: a registry is one document, remove the "---"',),
    ),
    Bad(
        "a Python tag",
        HEAD + "tenants: !!python/object:os.system {}\n",
        ('2:10: tenants: the tag "!!python/object:os.system" is not allowed: remove it',),
    ),
    Bad(
        "a tag of another tool",
        HEAD + "tenants: {acme: {name: !secret x, apps: {}}}\n",
        ('2:24: tenants.acme.name: the tag "!secret" is not allowed: remove it',),
    ),
    Bad(
        "Latin-1",
        b"version: 1\ntenants: {acme: {name: M\xfcller, apps: {}}}\n",
        ("2:25: byte 35 (0xfc) is not UTF-8: save the file as UTF-8 in your editor",),
    ),
    Bad(
        "UTF-16",
        b"\xff\xfev\x00e\x00r\x00s\x00i\x00o\x00n\x00:\x00 \x001\x00\n\x00",
        ("1:1: byte 0 (0xff) is not UTF-8: save the file as UTF-8 in your editor",),
    ),
    Bad(
        "a control character",
        HEAD + "tenants: {acme: {name: a\x07b, apps: {}}}\n",
        ("2:25: the character U+0007 is not allowed in YAML: remove it",),
    ),
    *(
        Bad(
            f"a line break that is none: {name} in {where}",
            HEAD + f"# Müller\n{before}a{character}b{after}\n",
            (
                f"3:{2 + len(before)}: the character {name} is a line break to some programs and none to others: remove it",
            ),
        )
        for name, character in (("U+0085", "\x85"), ("U+2028", "\u2028"), ("U+2029", "\u2029"))
        for where, before, after in (
            ("a name", "name: ", ""),
            ("quotes", 'name: "', '"'),
            ("a comment", "# ", ""),
        )
    ),
    Bad(
        "a merge conflict",
        HEAD + "<<<<<<< HEAD\ntenants: {}\n=======\ntenants: {a: {apps: {}}}\n>>>>>>> b\n",
        ("2:1: a merge conflict is left in the file: settle it and remove its markers",),
    ),
    Bad(
        "a colon too many",
        APP + "        deletion: protect: yes\n",
        (
            '8:26: is not valid YAML: a ": " too many, or a line that is indented too far: quote the value, or move the line',
        ),
    ),
    Bad(
        "a line indented wrongly",
        APP + "       deletion: protect\n",
        (
            "8:8: is not valid YAML: a line is indented unlike those above it, or a bracket is not closed (begun at line 5)",
        ),
    ),
    Bad(
        "no comma in a list",
        APP + "        services: [auth realtime: x]\n",
        (
            f'8:20: {WEB}.services[0]."auth realtime": is not a key here: write one of name, enabled',
            f"8:20: {WEB}.services[0].name: is missing: write it",
        ),
    ),
    Bad(
        "a brace left open",
        APP + "        database: {url_scheme: a\n        deletion: delete\n",
        (
            "9:17: is not valid YAML: a mapping in braces lacks a comma or its end (begun at line 8)",
        ),
    ),
    Bad(
        "a list indented wrongly",
        APP + "        services:\n          - auth\n         - realtime\n",
        (
            "10:10: is not valid YAML: a line is indented unlike those above it, or a bracket is not closed (begun at line 6)",
        ),
    ),
    Bad(
        "a reserved sign",
        APP + "        deletion: @x\n",
        ("8:19: is not valid YAML: a value begins with a sign of YAML's own: quote it",),
    ),
    Bad(
        "a key without a colon",
        APP + "        deletion\n        region2: x\n",
        ('8:9: is not valid YAML: a key without ":" after it',),
    ),
    Bad(
        "nested too deeply",
        HEAD
        + "tenants: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
        ("2:41: is nested deeper than 32 levels",),
    ),
    Bad(
        "no environment",
        HEAD + "tenants: {acme: {apps: {web: {region: us-east-1}}}}\n",
        (f"2:25: {WEB}.environment: is missing: write it here or in defaults",),
    ),
    Bad(
        "no environment and no region",
        HEAD + "tenants: {acme: {apps: {web: {}}}}\n",
        (
            f"2:25: {WEB}.environment: is missing: write it here or in defaults",
            f"2:25: {WEB}.region: is missing: write it here or in defaults",
        ),
    ),
    Bad(
        "an environment cut short",
        HEAD
        + "tenants:\n  acme:\n    apps:\n      web:\n        environment: prod\n        region: aws-us-east-2\n",
        (
            f'6:22: {WEB}.environment: "prod" is not known: write one of production, staging, development (did you mean "production"?)',
        ),
    ),
    Bad(
        "on for an environment",
        HEAD
        + "tenants:\n  acme:\n    apps:\n      web:\n        environment: on\n        region: aws-us-east-2\n",
        (
            f'6:22: {WEB}.environment: "on" is not known: write one of production, staging, development',
        ),
    ),
    Bad(
        "a number for an environment",
        HEAD
        + "tenants:\n  acme:\n    apps:\n      web:\n        environment: 1\n        region: aws-us-east-2\n",
        (
            f"6:22: {WEB}.environment: 1 is not known: write one of production, staging, development",
        ),
    ),
    Bad(
        "nothing for an environment",
        HEAD + "tenants: {acme: {apps: {web: {environment: , region: us-east-1}}}}\n",
        (
            f"2:31: {WEB}.environment: is empty: write one of production, staging, development, or leave it out",
        ),
    ),
    Bad(
        "yes for a deletion",
        APP + "        deletion: yes\n",
        (f'8:19: {WEB}.deletion: "yes" is not known: write one of protect, retain, delete',),
    ),
    Bad(
        "a number for a name",
        HEAD + "tenants: {acme: {name: 5.10, apps: {}}}\n",
        ('2:24: tenants.acme.name: must be text, not 5.1: write it in quotes, "5.10"',),
    ),
    Bad(
        "a PostgreSQL past its end",
        DB + "          postgres_version: 14\n",
        (
            f"9:29: {WEB}.database.postgres_version: PostgreSQL 14 is not maintained since 2026-11-12: write one of 15, 16, 17, 18",
        ),
    ),
    Bad(
        "a PostgreSQL to come",
        DB + "          postgres_version: 19\n",
        (
            f"9:29: {WEB}.database.postgres_version: must be a major version of PostgreSQL, one of 15, 16, 17, 18, not 19",
        ),
    ),
    Bad(
        "a PostgreSQL in quotes",
        DB + '          postgres_version: "17"\n',
        (
            f'9:29: {WEB}.database.postgres_version: must be a major version of PostgreSQL, one of 15, 16, 17, 18, not "17"',
        ),
    ),
    Bad(
        "a minor version of PostgreSQL",
        DB + "          postgres_version: 17.1\n",
        (
            f"9:29: {WEB}.database.postgres_version: must be a major version of PostgreSQL, one of 15, 16, 17, 18, not 17.1",
        ),
    ),
    Bad(
        "a compute size between two",
        DB + "          compute: {min_cu: 0.3}\n",
        (
            f"9:29: {WEB}.database.compute.min_cu: 0.3 is not a compute size of Neon: write 0.25, 0.5, a whole number from 1 to 16, or an even one up to 56 (nearest: 0.25)",
        ),
    ),
    Bad(
        "a word for a compute size",
        DB + "          compute: {min_cu: small}\n",
        (f'9:29: {WEB}.database.compute.min_cu: must be a number of Compute Units, not "small"',),
    ),
    Bad(
        "no number for a compute size",
        DB + "          compute: {min_cu: .nan, max_cu: true}\n",
        (
            f'9:29: {WEB}.database.compute.min_cu: must be a number of Compute Units, not ".nan"',
            f"9:43: {WEB}.database.compute.max_cu: must be a number of Compute Units, not true",
        ),
    ),
    Bad(
        "compute sizes in the wrong order",
        DB + "          compute: {min_cu: 2, max_cu: 1}\n",
        (
            f"9:29: {WEB}.database.compute.min_cu: min_cu 2 and max_cu 1: the least must not be above the most",
        ),
    ),
    Bad(
        "a compute size above the default",
        DB + "          compute: {min_cu: 4}\n",
        (
            f"9:29: {WEB}.database.compute.min_cu: min_cu 4 and max_cu 2: the least must not be above the most",
        ),
    ),
    Bad(
        "compute sizes too far apart",
        DB + "          compute: {min_cu: 1, max_cu: 16}\n",
        (
            f"9:40: {WEB}.database.compute.max_cu: min_cu 1 and max_cu 16 are more than 8 CU apart: Neon scales within 8; raise min_cu or lower max_cu",
        ),
    ),
    Bad(
        "a compute too large to scale",
        DB + "          compute: {min_cu: 16, max_cu: 18}\n",
        (
            f"9:41: {WEB}.database.compute.max_cu: min_cu 16 and max_cu 18: a compute scales up to 16 CU; a larger one has min_cu = max_cu",
        ),
    ),
    Bad(
        "an infinite compute",
        DB + "          compute: {max_cu: .inf}\n",
        (f'9:29: {WEB}.database.compute.max_cu: must be a number of Compute Units, not ".inf"',),
    ),
    Bad(
        "an extension misspelt",
        DB + "          extensions: [pg_tgrm]\n",
        (
            f'9:24: {WEB}.database.extensions[0]: "pg_tgrm" is not an extension of Neon (did you mean "pg_trgm"?)',
        ),
    ),
    Bad(
        "the extension that is there already",
        DB + "          extensions: [plpgsql, PLpgSQL]\n",
        (
            f'9:24: {WEB}.database.extensions[0]: "plpgsql" is not to be listed: every database has it',
            f'9:33: {WEB}.database.extensions[1]: "PLpgSQL" is not to be listed: every database has it',
        ),
    ),
    Bad(
        "no names of extensions",
        DB + "          extensions: [PG_TRGM, 'a;b']\n",
        (
            f'9:24: {WEB}.database.extensions[0]: "PG_TRGM" is not an extension\'s name: it has lower-case letters, digits, _ and - (did you mean "pg_trgm"?)',
            f'9:33: {WEB}.database.extensions[1]: "a;b" is not an extension\'s name: it has lower-case letters, digits, _ and -',
        ),
    ),
    Bad(
        "an extension twice",
        DB + "          extensions: [hstore, hstore]\n",
        (f'9:32: {WEB}.database.extensions[1]: "hstore" is in the list twice: keep one',),
    ),
    Bad(
        "a quota without units, and out of range",
        DB
        + "          quota: {active_time: 100, compute_time: 0s, written_data: 5, data_transfer: 0kB, logical_size: 10gb}\n",
        (
            f'9:32: {WEB}.database.quota.active_time: 100 has no unit: write it with one of ms, s, m, h, d, w, such as "100h"',
            f'9:51: {WEB}.database.quota.compute_time: "0s" is out of range: 1s to 365000d',
            f'9:69: {WEB}.database.quota.written_data: 5 has no unit: write it with one of kB, MB, GB, TB, such as "10GB"',
            f'9:87: {WEB}.database.quota.data_transfer: "0kB" is out of range: 1kB to 1024TB',
            f'9:106: {WEB}.database.quota.logical_size: "10gb" is not a size: write a whole number and a unit (kB, MB, GB, TB), such as "8GB" (did you mean "10GB"?)',
        ),
    ),
    Bad(
        "a maintenance window without an end",
        DB + "          maintenance_window: {weekdays: [someday], start: 24:00}\n",
        (
            f"9:11: {WEB}.database.maintenance_window.end: is missing: write it",
            f'9:43: {WEB}.database.maintenance_window.weekdays[0]: "someday" is not known: write one of monday, tuesday, wednesday, thursday, friday, saturday, sunday (did you mean "sunday"?)',
            f'9:60: {WEB}.database.maintenance_window.start: must be a time of day from "00:00" to "23:59" in UTC, such as "05:00", not "24:00"',
        ),
    ),
    Bad(
        "a maintenance window that never opens",
        DB + "          maintenance_window: {weekdays: [], start: 05:00, end: 05:00}\n",
        (
            f"9:42: {WEB}.database.maintenance_window.weekdays: a window without days never opens: name one, or delete the window",
            f"9:65: {WEB}.database.maintenance_window.end: begins and ends at 05:00: write another time for one of the two",
        ),
    ),
    Bad(
        "a day twice",
        DB
        + "          maintenance_window: {weekdays: [monday, monday], start: 05:00, end: 06:00}\n",
        (
            f'9:51: {WEB}.database.maintenance_window.weekdays[1]: "monday" is in the list twice: keep one',
        ),
    ),
    Bad(
        "no address",
        DB + "          allowed_ips: [10.0.0.300]\n",
        (
            f'9:25: {WEB}.database.allowed_ips[0]: "10.0.0.300" is not an address: write an IPv4 or IPv6 address, a network such as 203.0.113.0/24, or a range such as 192.0.2.1-192.0.2.9',
        ),
    ),
    Bad(
        "addresses with a scope",
        DB
        + '          allowed_ips: ["fe80::1%eth0", "fe80::1-fe80::2%1", "fe80::%1/64", "::1%", "%"]\n',
        (
            f'9:25: {WEB}.database.allowed_ips[0]: "fe80::1%eth0" names an interface of one host, which no other knows: write the address without "%" and what follows',
            f'9:41: {WEB}.database.allowed_ips[1]: "fe80::1-fe80::2%1" names an interface of one host, which no other knows: write the address without "%" and what follows',
            f'9:62: {WEB}.database.allowed_ips[2]: "fe80::%1/64" names an interface of one host, which no other knows: write the address without "%" and what follows',
            f'9:77: {WEB}.database.allowed_ips[3]: "::1%" is not an address: write an IPv4 or IPv6 address, a network such as 203.0.113.0/24, or a range such as 192.0.2.1-192.0.2.9',
            f'9:85: {WEB}.database.allowed_ips[4]: "%" is not an address: write an IPv4 or IPv6 address, a network such as 203.0.113.0/24, or a range such as 192.0.2.1-192.0.2.9',
        ),
    ),
    Bad(
        "an address twice, spelt otherwise",
        DB
        + "          allowed_ips: ['2001:db8::1', '2001:0DB8::0001', 10.0.0.1, 10.0.0.1/32, 10.0.0.1-10.0.0.1, 10.0.0.1]\n",
        (
            f'9:40: {WEB}.database.allowed_ips[1]: "2001:0DB8::0001" is in the list already, as "2001:db8::1": keep one',
            f'9:69: {WEB}.database.allowed_ips[3]: "10.0.0.1/32" is in the list already, as "10.0.0.1": keep one',
            f'9:82: {WEB}.database.allowed_ips[4]: "10.0.0.1-10.0.0.1" is in the list already, as "10.0.0.1": keep one',
            f'9:101: {WEB}.database.allowed_ips[5]: "10.0.0.1" is in the list twice: keep one',
        ),
    ),
    Bad(
        "a network twice, once as a range",
        DB + "          allowed_ips: [10.0.0.0-10.0.0.255, 10.0.0.0/24]\n",
        (
            f'9:46: {WEB}.database.allowed_ips[1]: "10.0.0.0/24" is in the list already, as "10.0.0.0-10.0.0.255": keep one',
        ),
    ),
    Bad(
        "an address inside a network",
        DB + "          allowed_ips: [203.0.113.5/24]\n",
        (
            f'9:25: {WEB}.database.allowed_ips[0]: "203.0.113.5/24" is an address inside a network: write 203.0.113.0/24',
        ),
    ),
    Bad(
        "a range backwards",
        DB + "          allowed_ips: [192.0.2.9-192.0.2.1]\n",
        (
            f'9:25: {WEB}.database.allowed_ips[0]: "192.0.2.9-192.0.2.1" is not a range: write the lower address first, both of a kind',
        ),
    ),
    Bad(
        "a range of two kinds",
        DB + "          allowed_ips: ['192.0.2.1-2001:db8::1', '10.0.0.0/8-10.0.0.1']\n",
        (
            f'9:25: {WEB}.database.allowed_ips[0]: "192.0.2.1-2001:db8::1" is not a range: write the lower address first, both of a kind',
            f'9:50: {WEB}.database.allowed_ips[1]: "10.0.0.0/8-10.0.0.1" is not an address: write an IPv4 or IPv6 address, a network such as 203.0.113.0/24, or a range such as 192.0.2.1-192.0.2.9',
        ),
    ),
    Bad(
        "a branch named main",
        DB + "          branches: {main: {}}\n",
        (
            f"9:28: {WEB}.database.branches.main: every project has its main branch already: remove this one, or rename it",
        ),
    ),
    Bad(
        "a branch with nothing",
        DB + "          branches:\n            staging:\n",
        (
            f'10:13: {WEB}.database.branches.staging: is empty: the file may be cut off here; write "staging: {{}}" to add nothing, or delete the key',
        ),
    ),
    Bad(
        "yes for true",
        DB + "          branches: {staging: {protected: yes}}\n",
        (f'9:43: {WEB}.database.branches.staging.protected: must be true or false, not "yes"',),
    ),
    Bad(
        "a generation of zero",
        DB + "          credentials: {generation: 0}\n",
        (f"9:37: {WEB}.database.credentials.generation: 0 is out of range: 1 to 2147483647",),
    ),
    Bad(
        "a URL for a scheme",
        DB + "          url_scheme: postgresql://\n",
        (
            f'9:23: {WEB}.database.url_scheme: a whole URL is not a URL scheme: lower-case letters, digits, +, - and ., starting with a letter, such as "postgresql" (without "://")',
        ),
    ),
    Bad(
        "a schema without a source",
        DB + "          schema: {revision: head}\n",
        (f'9:19: {WEB}.database.schema: needs one of "template" and "path", and not both',),
    ),
    Bad(
        "a schema with two sources",
        DB + "          schema: {template: base, path: ./b}\n",
        (f'9:19: {WEB}.database.schema: needs one of "template" and "path", and not both',),
    ),
    Bad(
        "no name of a template",
        DB + "          schema: Neon_Hub\n",
        (
            f'9:19: {WEB}.database.schema: "Neon_Hub" is not a name: a name is lower-case letters, digits and single hyphens inside, and begins with a letter (did you mean "neon-hub"?)',
        ),
    ),
    Bad(
        "no template of that name",
        DB + "          schema: neonhb\n",
        (
            f'9:19: {WEB}.database.schema: "neonhb" is not a template: write one of base, neonhub, or a path that starts with ./, ../ or / (did you mean "neonhub"?)',
        ),
    ),
    Bad(
        "no template of that name, in the long form",
        DB + "          schema: {template: lab, revision: one}\n",
        (
            f'9:30: {WEB}.database.schema.template: "lab" is not a template: write one of base, neonhub, or a path that starts with ./, ../ or /',
        ),
    ),
    Bad(
        "no template of that name, in the defaults",
        HEAD
        + "templates: {lab: ./lab}\ndefaults: {environment: staging, region: us-east-1, database: {schema: lap}}\n"
        + "tenants: {a: {apps: {b: {}, c: {}}}}\n",
        (
            '3:72: defaults.database.schema: "lap" is not a template: write one of base, neonhub, lab, or a path that starts with ./, ../ or / (did you mean "lab"?)',
        ),
    ),
    Bad(
        "a template of one's own with a name of ours",
        HEAD + "templates: {base: ./lab}\ntenants: {}\n",
        (
            '2:13: templates.base: "base" is the name of a template that comes with Tenantry: write another name',
        ),
    ),
    Bad(
        "a template of one's own that is no path",
        HEAD + "templates: {lab: schemas/lab, more: {extensions: [hstore]}}\ntenants: {}\n",
        (
            '2:18: templates.lab: "schemas/lab" is not a path: start it with ./, ../ or /',
            "2:31: templates.more.path: is missing: write it",
        ),
    ),
    Bad(
        "no revision of the template",
        DB + "          schema: {template: neonhub, revision: neonhub_001}\n",
        (
            f'9:49: {WEB}.database.schema.revision: template "neonhub" has no revision "neonhub_001": write one of base_0001, neonhub_0001, or head (did you mean "neonhub_0001"?)',
        ),
    ),
    Bad(
        "no path",
        DB + "          schema: {path: migrations}\n",
        (
            f'9:26: {WEB}.database.schema.path: "migrations" is not a path: start it with ./, ../ or /',
        ),
    ),
    Bad(
        "a number for a revision",
        DB + "          schema: {template: neonhub, revision: 20240101}\n",
        (
            f'9:49: {WEB}.database.schema.revision: must be text, not 20240101: write it in quotes, "20240101"',
        ),
    ),
    Bad(
        "a number for a schema",
        DB + "          schema: 5\n",
        (f"9:19: {WEB}.database.schema: must be a template's name, a path or a mapping, not 5",),
    ),
    Bad(
        "a service misspelt",
        APP + "        services: [auth, storge]\n",
        (
            f'8:26: {WEB}.services[1]: "storge" is not known: write one of auth, realtime, storage (did you mean "storage"?)',
        ),
    ),
    Bad(
        "a service misspelt in a mapping",
        APP + "        services: [{name: storge, enabled: false}]\n",
        (
            f'8:27: {WEB}.services[0].name: "storge" is not known: write one of auth, realtime, storage (did you mean "storage"?)',
        ),
    ),
    Bad(
        "something else for a service",
        APP + "        services: [true, 1, [auth]]\n",
        (
            f"8:20: {WEB}.services[0]: true is not known: write one of auth, realtime, storage",
            f"8:26: {WEB}.services[1]: 1 is not known: write one of auth, realtime, storage",
            f"8:29: {WEB}.services[2]: a list is not known: write one of auth, realtime, storage",
        ),
    ),
    Bad(
        "a service with a key that it has not",
        APP + "        services: [{name: auth, enable: false}]\n",
        (
            f'8:33: {WEB}.services[0].enable: is not a key here: write one of name, enabled (did you mean "enabled"?)',
        ),
    ),
    Bad(
        "a service without a name",
        APP + "        services: [{enabled: false}]\n",
        (f"8:20: {WEB}.services[0].name: is missing: write it",),
    ),
    Bad(
        "a service that is neither on nor off",
        APP + "        services: [{name: auth, enabled: off}]\n",
        (f'8:42: {WEB}.services[0].enabled: must be true or false, not "off"',),
    ),
    Bad(
        "no service behind a dash",
        APP + "        services:\n          -\n",
        (
            f"9:12: {WEB}.services[0]: is empty: write one of auth, realtime, storage, or leave it out",
        ),
    ),
    Bad(
        "a service twice, once as a mapping",
        APP + "        services: [auth, {name: auth, enabled: false}]\n",
        (f'8:26: {WEB}.services[1]: "auth" is in the list twice: keep one',),
    ),
    Bad(
        "too many services, a disabled one among them",
        APP
        + "        quotas: {services: 1}\n        services: [auth, {name: storage, enabled: false}]\n",
        (
            f"9:19: {WEB}.services: 2 of them, and the quota is 1: remove some, or raise quotas.services",
        ),
    ),
    Bad(
        "a service twice",
        APP + "        services: [auth, auth]\n",
        (f'8:26: {WEB}.services[1]: "auth" is in the list twice: keep one',),
    ),
    Bad(
        "nothing for a list",
        APP + "        services:\n",
        (
            f'8:9: {WEB}.services: is empty: the file may be cut off here; write "services: []" to add nothing, or delete the key',
        ),
    ),
    Bad(
        "an API key twice",
        APP + "        api_keys: [{name: a}, {name: a}]\n",
        (
            f'8:38: {WEB}.api_keys[1].name: another key of the app is named "a": names are unique in an app',
        ),
    ),
    Bad(
        "an API key without a name",
        APP + "        api_keys: [{scopes: [read]}]\n",
        (f"8:20: {WEB}.api_keys[0].name: is missing: write it",),
    ),
    Bad(
        "a scope misspelt",
        APP + "        api_keys: [{name: a, scopes: [reed]}]\n",
        (
            f'8:39: {WEB}.api_keys[0].scopes[0]: "reed" is not known: write one of read, write, admin (did you mean "read"?)',
        ),
    ),
    Bad(
        "an API key without scopes",
        APP + "        api_keys: [{name: a, scopes: []}]\n",
        (
            f"8:38: {WEB}.api_keys[0].scopes: a key without scopes can do nothing: name one, or delete the key",
        ),
    ),
    Bad(
        "a generation revoked that is not there yet",
        APP + "        api_keys: [{name: a, revoked: [1, 3], generation: 2}]\n",
        (
            f'8:43: {WEB}.api_keys[0].revoked[1]: generation 3 of the key "a" does not exist: the current one is 2',
        ),
    ),
    Bad(
        "a generation revoked twice",
        APP + "        api_keys: [{name: a, revoked: [1, 1]}]\n",
        (f"8:43: {WEB}.api_keys[0].revoked[1]: 1 is in the list twice: keep one",),
    ),
    Bad(
        "what is no generation revoked",
        APP
        + "        api_keys: [{name: a, revoked: [0]}, {name: b, revoked: 1}, {name: c, revoked: [x]}]\n",
        (
            f"8:40: {WEB}.api_keys[0].revoked[0]: 0 is out of range: 1 to 2147483647",
            f"8:64: {WEB}.api_keys[1].revoked: must be a list, not 1",
            f'8:88: {WEB}.api_keys[2].revoked[0]: must be a whole number, not "x"',
        ),
    ),
    Bad(
        "a date in another order",
        APP + "        api_keys: [{name: a, expires: 30.06.2027}]\n",
        (
            f'8:39: {WEB}.api_keys[0].expires: must be a date such as 2027-06-30 (year, month, day), not "30.06.2027"',
        ),
    ),
    Bad(
        "a day that is not",
        APP + "        api_keys: [{name: a, expires: 2027-02-30}]\n",
        (
            f'8:39: {WEB}.api_keys[0].expires: "2027-02-30" is not a day of the calendar: write one that is',
        ),
    ),
    Bad(
        "a date without hyphens",
        APP + "        api_keys: [{name: a, expires: 20270630}]\n",
        (
            f"8:39: {WEB}.api_keys[0].expires: must be a date such as 2027-06-30 (year, month, day), not 20270630",
        ),
    ),
    Bad(
        "an empty item",
        APP + "        api_keys:\n          -\n",
        (
            f"9:12: {WEB}.api_keys[0]: is empty: the file may be cut off here; write the item, or delete it",
        ),
    ),
    Bad(
        "a number for a version",
        APP
        + "        graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1GB, version: 5}\n",
        (f'8:87: {WEB}.graph.version: must be text, not 5: write it in quotes, "5"',),
    ),
    Bad(
        "memory without a unit",
        APP + "        graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1}\n",
        (f'8:73: {WEB}.graph.memory: 1 has no unit: write it in GB, such as "1GB"',),
    ),
    Bad(
        "too little memory",
        APP + "        graph: {type: free-db, cloud: gcp, region: us-central1, memory: 512MB}\n",
        (f'8:73: {WEB}.graph.memory: "512MB" is out of range: whole GB from 1GB to 512GB',),
    ),
    Bad(
        "a list for memory",
        APP + "        graph: {type: free-db, cloud: gcp, region: US Central, memory: []}\n",
        (
            f'8:52: {WEB}.graph.region: "US Central" is not a region: write the cloud\'s own name, such as us-central1',
            f'8:72: {WEB}.graph.memory: must be a size such as "8GB", not a list',
        ),
    ),
    Bad(
        "memory in another form",
        APP + "        graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1 gb}\n",
        (
            f'8:73: {WEB}.graph.memory: "1 gb" is not a size: write a whole number and a unit (kB, MB, GB, TB), such as "8GB" (did you mean "1GB"?)',
        ),
    ),
    Bad(
        "a free graph in another cloud",
        APP + "        graph: {type: free-db, cloud: aws, region: us-east-1, memory: 2GB}\n",
        (
            f'8:39: {WEB}.graph.cloud: "aws" is not offered with type free-db: write gcp, or another type',
            f'8:71: {WEB}.graph.memory: "2GB" is not offered with type free-db: write 1GB, or another type',
        ),
    ),
    Bad(
        "a graph half written",
        APP + "        graph: {type: free}\n",
        (
            f"8:9: {WEB}.graph.cloud: is missing: write it",
            f"8:9: {WEB}.graph.memory: is missing: write it",
            f"8:9: {WEB}.graph.region: is missing: write it",
            f'8:23: {WEB}.graph.type: "free" is not known: write one of free-db, professional-db, business-critical, enterprise-db, professional-ds, enterprise-ds (did you mean "free-db"?)',
        ),
    ),
    Bad(
        "a quota of zero",
        APP + "        quotas: {databases: 0}\n",
        (f"8:29: {WEB}.quotas.databases: 0 is out of range: 1 to 1000",),
    ),
    Bad(
        "nothing for a timeout",
        DB + "          statement_timeout:\n",
        (
            f'9:11: {WEB}.database.statement_timeout: is empty, where a duration such as "30s" is wanted: write it, or leave it out',
        ),
    ),
    Bad(
        "a mapping for a timeout",
        DB + "          statement_timeout: {s: 1}\n",
        (
            f'9:30: {WEB}.database.statement_timeout: must be a duration such as "30s", not a mapping',
        ),
    ),
    Bad(
        "nothing for a contact",
        HEAD + "tenants: {acme: {contact: ~, apps: {}}}\n",
        ("2:18: tenants.acme.contact: is empty, where text is wanted: write it, or leave it out",),
    ),
    Bad(
        "a fault in the defaults, once",
        HEAD
        + "defaults: {region: nowhere}\ntenants: {a: {apps: {b: {environment: staging}, c: {environment: staging}}}}\n",
        (f'2:20: defaults.region: "nowhere" is not a region of Neon: write one of {REGIONS}',),
    ),
    Bad(
        "a broken rule in the defaults, once",
        HEAD
        + "defaults: {region: us-east-1, environment: staging, database: {compute: {min_cu: 4}}}\ntenants: {a: {apps: {b: {}, c: {}}}}\n",
        (
            "2:82: defaults.database.compute.min_cu: min_cu 4 and max_cu 2: the least must not be above the most",
        ),
    ),
    Bad(
        "a protected branch in an app to delete",
        DB + "          branches: {st: {protected: true}}\n        deletion: delete\n",
        (
            f"9:38: {WEB}.database.branches.st.protected: Neon does not delete a project with a protected branch: write protected: false, or another deletion",
        ),
    ),
    Bad(
        "a protected branch that expires",
        DB + "          branches: {st: {protected: true, expires: 2099-01-01}}\n",
        (
            f"9:53: {WEB}.database.branches.st.expires: Neon deletes no protected branch: write protected: false, or no last day",
        ),
    ),
    Bad(
        "a last day that is none",
        DB + "          branches: {st: {expires: soon}}\n",
        (
            f'9:36: {WEB}.database.branches.st.expires: must be a date such as 2027-06-30 (year, month, day), not "soon"',
        ),
    ),
    Bad(
        "a protected main branch in an app to delete",
        DB + "          protected: true\n        deletion: delete\n",
        (
            f"9:22: {WEB}.database.protected: Neon does not delete a project with a protected branch: write protected: false, or another deletion",
        ),
    ),
    Bad(
        "no name for the namespace",
        HEAD + "namespace: My\ntenants: {}\n",
        (
            '2:12: namespace: "My" is not a name: a name is lower-case letters, digits and single hyphens inside, and begins with a letter (did you mean "my"?)',
        ),
    ),
    Bad(
        "a blank before a text",
        HEAD + "tenants: {acme: {contact: ' a', apps: {}}}\n",
        (
            '2:27: tenants.acme.contact: " a" is not a line of text: write 1 to 200 printable characters without blanks at the ends',
        ),
    ),
    Bad(
        "a number too large",
        DB + "          connection_limit: 99999999999999999999999\n",
        (
            f"9:29: {WEB}.database.connection_limit: 99999999999999999999999 is out of range: 1 to 3993",
        ),
    ),
    Bad(
        "numbers too large to be read",
        DB
        + f"          connection_limit: {'9' * 70}\n          statement_timeout: {'9' * 70}\n"
        + f"          compute: {{min_cu: {'9' * 300}}}\n          postgres_version: {'9' * 30}\n",
        (
            f"9:29: {WEB}.database.connection_limit: {'9' * 60}… is out of range: 1 to 3993",
            f'10:30: {WEB}.database.statement_timeout: {"9" * 60}… has no unit: write it with one of ms, s, m, h, d, w, such as "30s"',
            f"11:29: {WEB}.database.compute.min_cu: {'9' * 60}… is not a compute size of Neon: write 0.25, 0.5, a whole number from 1 to 16, or an even one up to 56 (nearest: 56)",
            f"12:29: {WEB}.database.postgres_version: must be a major version of PostgreSQL, one of 15, 16, 17, 18, not {'9' * 30}",
        ),
    ),
    Bad(
        "memory too large to be read",
        APP
        + f"        graph: {{type: free-db, cloud: gcp, region: us-central1, memory: {'9' * 70}}}\n",
        (f'8:73: {WEB}.graph.memory: {"9" * 60}… has no unit: write it in GB, such as "8GB"',),
    ),
    Bad(
        "half a gigabyte without a unit",
        APP + "        graph: {type: free-db, cloud: gcp, region: us-central1, memory: 1.5}\n",
        (f'8:73: {WEB}.graph.memory: 1.5 has no unit: write it in GB, such as "8GB"',),
    ),
    Bad(
        "a graph in the defaults",
        HEAD + "defaults: {graph: {}}\ntenants: {}\n",
        (
            "2:12: defaults.graph: is not a key here: write one of environment, region, database, services, api_keys, deletion, quotas, retries",
        ),
    ),
    Bad(
        "several faults at once",
        HEAD
        + "tenants:\n  acme:\n    apps:\n      web:\n        environment: prod\n        region: x\n        deletion: no\n      api: {}\n",
        (
            f'6:22: {WEB}.environment: "prod" is not known: write one of production, staging, development (did you mean "production"?)',
            f'7:17: {WEB}.region: "x" is not a region of Neon: write one of {REGIONS}',
            f'8:19: {WEB}.deletion: "no" is not known: write one of protect, retain, delete',
            "9:7: tenants.acme.apps.api.environment: is missing: write it here or in defaults",
            "9:7: tenants.acme.apps.api.region: is missing: write it here or in defaults",
        ),
    ),
    Bad(
        "a rule about a faulty value is not judged",
        APP + "        quotas: {api_keys: none}\n        api_keys: [{name: a}, {name: b}]\n",
        (f'8:28: {WEB}.quotas.api_keys: must be a whole number, not "none"',),
    ),
    Bad(
        "sizes with one faulty are not compared",
        DB + "          compute: {min_cu: 4, max_cu: huge}\n",
        (f'9:40: {WEB}.database.compute.max_cu: must be a number of Compute Units, not "huge"',),
    ),
    Bad(
        "a fault after a byte order mark",
        b"\xef\xbb\xbfversion: 1\ntenants: []\n",
        ("2:10: tenants: must be a mapping, not a list",),
    ),
    Bad(
        "a fault with the line ends of Windows",
        "version: 1\r\ntenants:\r\n  acme:\r\n    apps:\r\n      web:\r\n        environment: prod\r\n        region: aws-us-east-2\r\n",
        (
            f'6:22: {WEB}.environment: "prod" is not known: write one of production, staging, development (did you mean "production"?)',
        ),
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=[bad.kind for bad in BAD])
def test_a_bad_registry_is_refused_with_exact_lines(bad: Bad) -> None:
    content = bad.content.encode() if isinstance(bad.content, str) else bad.content
    with pytest.raises(RegistryError) as refusal:
        parse(content)
    assert str(refusal.value).splitlines() == [f"tenants.yaml:{line}" for line in bad.lines]


def test_the_documented_errors_are_what_the_documented_registry_gives() -> None:
    document = (Path(__file__).parents[3] / "docs" / "registry.md").read_text("utf-8")
    _, _, section = document.partition("## Errors")
    registry, lines = re.findall(r"```(?:yaml)?\n(.*?)```", section, re.DOTALL)[:2]
    with pytest.raises(RegistryError) as refusal:
        parse(registry.encode())
    assert str(refusal.value) == lines.strip()
