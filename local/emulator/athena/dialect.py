"""SQL that Trino and DuckDB both understand: functions that DuckDB lacks, and a refusal of what Trino lacks.

A query that only DuckDB understands would work here and fail on AWS. So a function is offered only if Trino has it and
it means the same here, by itself or by a macro; and syntax that is DuckDB's own is refused by name.
"""

from collections.abc import Sequence

# (kind, text, start, end), as ministack's scanner gives them: names in lower case.
Token = tuple[str, str, int, int]
# Trino's functions that DuckDB lacks or means otherwise. `system.main.` is DuckDB's own function behind a macro.
_MACROS = {
    "approx_distinct": "(x) AS approx_count_distinct(x)",
    "approx_percentile": "(x, p) AS approx_quantile(x, CAST(p AS REAL))",
    "array_distinct": "(a) AS list_distinct(a)",
    "array_join": "(a, s) AS array_to_string(a, s)",
    "array_max": "(a) AS list_max(a)",
    "array_min": "(a) AS list_min(a)",
    "concat": "(a, b) AS a || b, (a, b, c) AS a || b || c, (a, b, c, d) AS a || b || c || d",
    # 0 over no rows, where DuckDB gives null.
    "count_if": "(x) AS count(CASE WHEN x THEN 1 END)",
    # Whole units that have passed, not boundaries that were crossed.
    "date_diff": "(unit, a, b) AS date_sub(unit, a, b)",
    "date_format": """(t, f) AS CASE
        WHEN regexp_matches(replace(f, '%%', ''), '%[^YmdHiSsfbMaWejypTckhIlr]')
        THEN error('date_format: not offered here: ' || f)
        ELSE strftime(t, replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(f,
            '%M', '%B'), '%i', '%M'), '%s', '%S'), '%W', '%A'), '%e', '%-d'), '%c', '%-m'), '%k', '%-H'), '%h', '%I'),
            '%l', '%-I'), '%T', '%H:%M:%S'), '%r', '%I:%M:%S %p')) END""",
    "date_parse": """(s, f) AS CASE
        WHEN regexp_matches(replace(f, '%%', ''), '%[^YmdHiSsfbMy]')
        THEN error('date_parse: not offered here: ' || f)
        ELSE strptime(s, replace(replace(replace(f, '%M', '%B'), '%i', '%M'), '%s', '%S')) END""",
    "day_of_month": "(t) AS day(t)",
    "day_of_week": "(t) AS isodow(t)",
    "day_of_year": "(t) AS dayofyear(t)",
    "element_at": "(a, i) AS a[i]",
    "format_datetime": """(t, f) AS CASE
        WHEN regexp_matches(system.main.regexp_replace(f, 'yyyy|MMM|MM|dd|HH|mm|ss|SSS', '', 'g'), '[A-Za-z''%]')
        THEN error('format_datetime: not offered here: ' || f)
        ELSE strftime(t, replace(replace(replace(replace(replace(replace(replace(replace(f, 'SSS', '%g'),
            'yyyy', '%Y'), 'MMM', '%b'), 'MM', '%m'), 'dd', '%d'), 'HH', '%H'), 'mm', '%M'), 'ss', '%S')) END""",
    "from_iso8601_timestamp": "(s) AS CAST(s AS TIMESTAMPTZ)",
    # Null if any is, which DuckDB leaves out instead.
    "greatest": """(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN system.main.greatest(a, b) END,
        (a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL
            THEN system.main.greatest(a, b, c) END""",
    "if": "(c, a) AS CASE WHEN c THEN a END, (c, a, b) AS CASE WHEN c THEN a ELSE b END",
    "infinity": "() AS CAST('inf' AS DOUBLE)",
    "is_nan": "(x) AS isnan(x)",
    "json_extract_scalar": """(j, p) AS CASE
        WHEN json_valid(j) AND json_type(j, p) NOT IN ('ARRAY', 'OBJECT') THEN json_extract_string(j, p) END""",
    "last_day_of_month": "(t) AS last_day(t)",
    "least": """(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN system.main.least(a, b) END,
        (a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL
            THEN system.main.least(a, b, c) END""",
    "levenshtein_distance": "(a, b) AS levenshtein(a, b)",
    "nan": "() AS CAST('nan' AS DOUBLE)",
    "regexp_extract": """(s, p) AS CASE WHEN regexp_matches(s, p) THEN system.main.regexp_extract(s, p) END,
        (s, p, g) AS CASE WHEN regexp_matches(s, p) THEN system.main.regexp_extract(s, p, g) END""",
    "regexp_like": "(s, p) AS regexp_matches(s, p)",
    "regexp_replace": """(s, p) AS system.main.regexp_replace(s, p, '', 'g'),
        (s, p, r) AS system.main.regexp_replace(s, p, replace(r, '$', '\\'), 'g')""",
    "sequence": "(a, b) AS generate_series(a, b), (a, b, c) AS generate_series(a, b, c)",
    "split_part": "(s, d, n) AS string_split(s, d)[n]",
    "to_unixtime": "(t) AS epoch(t)",
    "truncate": "(x) AS trunc(x)",
    "width_bucket": """(x, lo, hi, n) AS CASE WHEN x < lo THEN 0 WHEN x >= hi THEN n + 1
        ELSE CAST(floor(CAST(x - lo AS DOUBLE) / CAST(hi - lo AS DOUBLE) * n) AS BIGINT) + 1 END""",
}
MACROS = "".join(f'CREATE TEMP MACRO "{name}"{definition};' for name, definition in _MACROS.items())
# Functions that both have and mean alike.
_COMMON = """
    abs any_value arbitrary array_agg array_sort avg bool_and bool_or cardinality
    cast cbrt ceil ceiling chr coalesce concat_ws contains corr count covar_pop covar_samp cume_dist date
    date_trunc day degrees dense_rank exp extract first_value flatten floor grouping hour json_array_length
    json_extract lag last_value lead length ln log log10 log2 lower lpad ltrim map map_keys map_values max max_by
    min min_by minute mod month now nth_value ntile nullif percent_rank pi position pow power quarter radians random
    rank regr_intercept regr_slope replace reverse round row row_number rpad rtrim second sign split sqrt
    starts_with stddev stddev_pop stddev_samp strpos substr substring sum translate trim try try_cast unnest upper
    var_pop var_samp variance week year
"""
# Words that may stand before a parenthesis and call nothing.
_SYNTAX = """
    all and any array as between by case char cross cube decimal distinct else end escape except exists filter from
    full group having in inner intersect interval is join lateral left like limit not offset on or order outer over
    partition recursive right rollup select sets some then time timestamp union using values varbinary varchar when
    where window with within
"""
OFFERED = frozenset(_COMMON.split()) | frozenset(_MACROS)
_NO_FUNCTIONS = frozenset(_SYNTAX.split())
# DuckDB's own words.
_FOREIGN_WORDS = ("asof", "glob", "ilike", "pivot", "qualify", "unpivot")


class DialectError(Exception):
    """A query that Trino would not understand, or that the local Athena does not offer. The query fails with this."""


def check_dialect(tokens: Sequence[Token]) -> None:
    """Check that a query is one for Trino, as far as its words tell.

    Raises:
        DialectError: names the first word or sign that is not.
    """
    aliases = _aliases(tokens)
    for index, (kind, text, start, _) in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if kind == "name" and following is not None and following[1] == "(" and index not in aliases:
            if text not in OFFERED and text not in _NO_FUNCTIONS:
                raise DialectError(f"FUNCTION_NOT_FOUND: the local Athena does not offer the function '{text}'")
        elif kind == "name" and text in _FOREIGN_WORDS:
            raise DialectError(f"SYNTAX_ERROR: {text.upper()} is not known to Athena")
        elif kind == "punct":
            _check_sign(tokens, index, start)
        if kind == "name" and text == "offset" and _is_after_limit(tokens, index):
            raise DialectError("SYNTAX_ERROR: mismatched input 'OFFSET': Athena wants OFFSET before LIMIT")
        if kind == "name" and text == "all" and tokens[index - 1][1] == "by":
            raise DialectError("SYNTAX_ERROR: BY ALL is not known to Athena")


def _check_sign(tokens: Sequence[Token], index: int, start: int) -> None:
    text = tokens[index][1]
    before = tokens[index - 1] if index else None
    if before is not None and before[3] == start and before[1] + text in ("::", "//", "=="):
        raise DialectError(f"SYNTAX_ERROR: {before[1]}{text} is not known to Athena")
    if text == "{":
        raise DialectError("SYNTAX_ERROR: {...} is not known to Athena")
    # After a value it is an index; after anything else a list, which Trino begins with ARRAY.
    if text == "[" and not _is_value(before):
        raise DialectError("SYNTAX_ERROR: a list is written ARRAY[...] for Athena")


def _is_value(token: Token | None) -> bool:
    if token is None:
        return False
    kind, text, _, _ = token
    return kind in ("qname", "str") or text in ("]", ")", "array") or (kind == "name" and text not in _NO_FUNCTIONS)


def _is_after_limit(tokens: Sequence[Token], index: int) -> bool:
    return index >= 2 and tokens[index - 2][:2] == ("name", "limit")


def _aliases(tokens: Sequence[Token]) -> set[int]:
    """Names that give columns new names rather than call: `... AS t(x)`, `UNNEST(...) t(x)`, `WITH t(x) AS (`."""
    found = set()
    for index, (kind, _, _, _) in enumerate(tokens):
        if kind != "name" or not index:
            continue
        before = tokens[index - 1][1]
        if before in ("as", ")") or (before in ("with", "recursive", ",") and _is_followed_by_as(tokens, index + 1)):
            found.add(index)
    return found


def _is_followed_by_as(tokens: Sequence[Token], opening: int) -> bool:
    """Whether the parenthesis that opens here is followed by AS and another one: `t(x) AS (`."""
    depth = 0
    for index in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[index][1], 0)
        if depth == 0:
            return [token[1] for token in tokens[index + 1 : index + 3]] == ["as", "("]
    return False
