"""SQL for Trino: what every function gives, by Trino's documentation, and what is refused since Trino lacks it."""

import re

import pytest

from local.aws import LocalAws
from local.emulator.athena.dialect import OFFERED, DialectError, check_dialect
from tests.local.athena_tables import Tables

T1, T2 = "TIMESTAMP '2026-01-02 13:04:05'", "TIMESTAMP '2026-01-04 01:00:00'"
JSON = """'{"a": {"b": 1}, "t": "x", "l": [1, 2], "n": null, "f": true}'"""
# Expression -> what Athena gives as text (None for null).
SCALARS: dict[str, str | None] = {
    "7 / 2": "3",
    "-7 / 2": "-3",
    "7 / 2.0e0": "3.5",
    "CAST(7 AS double) / 2": "3.5",
    "7 % 4": "3",
    "mod(7, 4)": "3",
    "'a' || 'b'": "ab",
    "'a' || NULL": None,
    "concat('a', 'b')": "ab",
    "concat('a', 'b', 'c')": "abc",
    "concat('a', NULL)": None,
    "concat_ws('-', 'a', NULL, 'b')": "a-b",
    "coalesce(NULL, 'x')": "x",
    "nullif('a', 'a')": None,
    "if(1 > 0, 'y', 'n')": "y",
    "if(1 < 0, 'y')": None,
    "CASE WHEN 1 > 0 THEN 'a' ELSE 'b' END": "a",
    "greatest(1, 3, 2)": "3",
    "greatest(1, NULL)": None,
    "least(2, 1)": "1",
    "least(NULL, 1, 2)": None,
    "try(1 / 0)": None,
    "TRY_CAST('x' AS integer)": None,
    "TRY_CAST('7' AS bigint)": "7",
    "CAST('2026-01-02' AS date)": "2026-01-02",
    "CAST(1.5 AS decimal(10, 2))": "1.50",
    "CAST(1 AS varchar)": "1",
    "abs(-1.5e0)": "1.5",
    "ceil(1.2e0)": "2.0",
    "ceiling(1.2e0)": "2.0",
    "floor(-1.5e0)": "-2.0",
    "round(2.5e0)": "3.0",
    "round(1.256e0, 2)": "1.26",
    "truncate(-1.9e0)": "-1.0",
    "power(2, 3)": "8.0",
    "pow(2, 3)": "8.0",
    "sqrt(4)": "2.0",
    "round(cbrt(27e0), 9)": "3.0",
    "exp(0)": "1.0",
    "ln(1)": "0.0",
    "log(2, 8)": "3.0",
    "log2(8)": "3.0",
    "log10(100)": "2.0",
    "sign(-2)": "-1",
    "round(degrees(pi()))": "180.0",
    "round(radians(180), 2)": "3.14",
    "is_nan(nan())": "true",
    "infinity() > 1e300": "true",
    "random() < 1": "true",
    "width_bucket(5.3e0, 0, 10, 5)": "3",
    "width_bucket(-1, 0, 10, 5)": "0",
    "width_bucket(10, 0, 10, 5)": "6",
    "length('äb')": "2",
    "lower('AB')": "ab",
    "upper('ab')": "AB",
    "trim('  a ')": "a",
    "ltrim('  a')": "a",
    "rtrim('a  ')": "a",
    "lpad('7', 3, '0')": "007",
    "rpad('7', 3, '0')": "700",
    "substr('abcd', 2)": "bcd",
    "substring('abcd', 2, 2)": "bc",
    "replace('abcb', 'b', 'x')": "axcx",
    "translate('abc', 'ab', 'xy')": "xyc",
    "reverse('abc')": "cba",
    "strpos('abc', 'c')": "3",
    "position('c' IN 'abc')": "3",
    "starts_with('abc', 'ab')": "true",
    "split('a,b', ',')": "[a, b]",
    "split_part('a,b', ',', 2)": "b",
    "split_part('a,b', ',', 3)": None,
    "chr(65)": "A",
    "levenshtein_distance('abc', 'adc')": "1",
    "regexp_like('abc', 'b')": "true",
    "regexp_like('abc', '^b')": "false",
    "regexp_extract('a12b', '[0-9]+')": "12",
    "regexp_extract('a12b', '([a-z])([0-9]+)', 2)": "12",
    "regexp_extract('ab', '[0-9]+')": None,
    "regexp_replace('a1b2', '[0-9]')": "ab",
    "regexp_replace('a1b2', '([0-9])', '<$1>')": "a<1>b<2>",
    f"json_extract_scalar({JSON}, '$.a.b')": "1",
    f"json_extract_scalar({JSON}, '$.t')": "x",
    f"json_extract_scalar({JSON}, '$.f')": "true",
    f"json_extract_scalar({JSON}, '$.l')": None,
    f"json_extract_scalar({JSON}, '$.a')": None,
    f"json_extract_scalar({JSON}, '$.n')": None,
    f"json_extract_scalar({JSON}, '$.nothing')": None,
    "json_extract_scalar('not json', '$.a')": None,
    f"json_extract({JSON}, '$.l')": "[1,2]",
    f"json_array_length(json_extract({JSON}, '$.l'))": "2",
    "cardinality(ARRAY[1, 2])": "2",
    "element_at(ARRAY['a', 'b'], 2)": "b",
    "element_at(ARRAY['a', 'b'], 3)": None,
    "ARRAY['a', 'b'][1]": "a",
    "contains(ARRAY[1, 2], 2)": "true",
    "array_sort(ARRAY[2, 1])": "[1, 2]",
    "array_max(ARRAY[1, 2])": "2",
    "array_min(ARRAY[1, 2])": "1",
    "array_distinct(ARRAY[1, 1])": "[1]",
    "array_join(ARRAY['a', NULL, 'b'], ',')": "a,b",
    "flatten(ARRAY[ARRAY[1], ARRAY[2]])": "[1, 2]",
    "sequence(1, 3)": "[1, 2, 3]",
    "sequence(1, 7, 3)": "[1, 4, 7]",
    "element_at(map(ARRAY['k'], ARRAY[1]), 'k')": "1",
    "map_keys(map(ARRAY['k'], ARRAY[1]))": "[k]",
    "map_values(map(ARRAY['k'], ARRAY[1]))": "[1]",
    "row(1, 'a') IS NULL": "false",
    f"date_diff('second', TIMESTAMP '2026-01-02 13:04:00', {T1})": "5",
    f"date_diff('day', {T1}, {T2})": "1",
    f"date_diff('hour', {T2}, {T1})": "-35",
    "date_diff('month', DATE '2026-01-15', DATE '2026-03-14')": "1",
    "date_diff('second', from_iso8601_timestamp('2026-01-02T03:04:05Z'), TIMESTAMP '2026-01-02 03:05:05')": "60",
    f"date_trunc('month', {T1})": "2026-01-01 00:00:00.000",
    f"date({T1})": "2026-01-02",
    f"date_format({T1}, '%Y-%m-%d %H:%i:%s')": "2026-01-02 13:04:05",
    f"date_format({T1}, '%b %e, %M %W %h%p %T %j')": "Jan 2, January Friday 01PM 13:04:05 002",
    "date_parse('2026-01-02 13:04', '%Y-%m-%d %H:%i')": "2026-01-02 13:04:00.000",
    f"format_datetime({T1}, 'yyyy-MM-dd HH:mm:ss.SSS')": "2026-01-02 13:04:05.000",
    f"format_datetime({T1}, 'MMM dd')": "Jan 02",
    f"to_unixtime({T1})": "1767359045.0",
    f"extract(hour FROM {T1})": "13",
    f"year({T1}) + month({T1}) + day({T1}) + quarter({T1})": "2030",
    f"hour({T1}) + minute({T1}) + second({T1}) + week({T1})": "23",
    f"day_of_week({T1}) + day_of_month({T1}) + day_of_year({T1})": "9",
    "last_day_of_month(DATE '2026-02-03')": "2026-02-28",
    f"{T1} + INTERVAL '1' DAY": "2026-01-03 13:04:05.000",
    "now() > TIMESTAMP '2026-01-01 00:00:00'": "true",
    "NULL IS DISTINCT FROM 1": "true",
    "'abc' LIKE 'a%'": "true",
}
NUMBERS = "(VALUES (1, 'a'), (2, 'b'), (2, 'b'), (NULL, 'c')) AS t(x, k)"
AGGREGATES: dict[str, str | None] = {
    "count(*)": "4",
    "count(x)": "3",
    "count(DISTINCT x)": "2",
    "count_if(x > 1)": "2",
    "count(*) FILTER (WHERE x > 1)": "2",
    "sum(x) / count(x)": "1",
    "avg(x)": "1.6666666666666667",
    "min(x)": "1",
    "max(x)": "2",
    "min_by(k, x)": "a",
    "max_by(k, x)": "b",
    "approx_distinct(x)": "2",
    "approx_percentile(x, 0.5e0)": "2",
    "array_agg(k ORDER BY k)": "[a, b, b, c]",
    "array_join(array_agg(DISTINCT k ORDER BY k), ',')": "a,b,c",
    "arbitrary(1)": "1",
    "any_value(1)": "1",
    "bool_and(x > 0)": "true",
    "bool_or(x > 1)": "true",
    "round(stddev(x), 4)": "0.5774",
    "round(stddev_samp(x), 4)": "0.5774",
    "round(stddev_pop(x), 4)": "0.4714",
    "round(variance(x), 4)": "0.3333",
    "round(var_samp(x), 4)": "0.3333",
    "round(var_pop(x), 4)": "0.2222",
    "round(covar_samp(x, x), 4)": "0.3333",
    "round(covar_pop(x, x), 4)": "0.2222",
    "corr(x, x)": "1.0",
    "regr_slope(x, x)": "1.0",
    "round(regr_intercept(x, x), 4)": "0.0",
}
QUERIES: dict[str, list[list[str | None]]] = {
    "WITH a AS (SELECT 1 AS x), b(y) AS (SELECT 2) SELECT x, y FROM a CROSS JOIN b": [["1", "2"]],
    "SELECT a.x, b.y FROM (VALUES (1), (2)) AS a(x) LEFT JOIN (VALUES (2)) AS b(y) ON a.x = b.y ORDER BY a.x": [
        ["1", None],
        ["2", "2"],
    ],
    "SELECT x FROM (VALUES (1)) AS a(x) FULL OUTER JOIN (VALUES (2)) AS b(x) USING (x) ORDER BY x": [["1"], ["2"]],
    "SELECT v, n FROM UNNEST(ARRAY['a', 'b']) WITH ORDINALITY AS t(v, n) ORDER BY n": [["a", "1"], ["b", "2"]],
    "SELECT s.k, t.v FROM (VALUES ('k', ARRAY[1, 2])) AS s(k, vs) CROSS JOIN UNNEST(s.vs) AS t(v) ORDER BY t.v": [
        ["k", "1"],
        ["k", "2"],
    ],
    "SELECT x FROM (SELECT 1 AS one) CROSS JOIN UNNEST(ARRAY['a']) AS t(x)": [["a"]],
    "SELECT date_format(t.x, '%Y-%m-%d') AS x FROM UNNEST(sequence(DATE '2026-02-28', DATE '2026-03-01', "
    "INTERVAL '1' DAY)) AS t(x) ORDER BY 1": [["2026-02-28"], ["2026-03-01"]],
    "SELECT date_format(current_date - INTERVAL '1' DAY, '%Y') < date_format(current_date, '%Y-1') AS x": [["true"]],
    "SELECT count_if(x > 1), count(x), sum(x) FROM (VALUES (1)) AS t(x) WHERE x > 1": [["0", "0", None]],
    "SELECT k, row_number() OVER (ORDER BY count_if(x > 1) DESC) AS n FROM (VALUES ('a', 1), ('b', 2)) AS t(k, x) "
    "GROUP BY k ORDER BY k": [["a", "2"], ["b", "1"]],
    "SELECT x FROM (VALUES (1), (NULL), (3)) AS t(x) ORDER BY x NULLS LAST": [["1"], ["3"], [None]],
    "SELECT x FROM (VALUES (1), (NULL), (3)) AS t(x) ORDER BY x DESC": [["3"], ["1"], [None]],
    "SELECT x FROM (VALUES (1), (2), (3)) AS t(x) ORDER BY x OFFSET 1 LIMIT 1": [["2"]],
    "SELECT x FROM (VALUES (1), (2)) AS t(x) ORDER BY x FETCH FIRST 1 ROW ONLY": [["1"]],
    "SELECT k, grouping(k), sum(x) FROM (VALUES ('a', 1), ('b', 2)) AS t(k, x) GROUP BY ROLLUP (k) ORDER BY k": [
        ["a", "0", "1"],
        ["b", "0", "2"],
        [None, "1", "3"],
    ],
    "SELECT x FROM (VALUES (1), (2)) AS t(x) WHERE x IN (1) AND EXISTS (SELECT 1) AND x BETWEEN 0 AND 1": [["1"]],
}
WINDOWS: dict[str, list[str | None]] = {
    "row_number()": ["1", "2", "3"],
    "rank()": ["1", "2", "2"],
    "dense_rank()": ["1", "2", "2"],
    "percent_rank()": ["0.0", "0.5", "0.5"],
    "cume_dist()": ["0.3333333333333333", "1.0", "1.0"],
    "ntile(2)": ["1", "1", "2"],
    "lag(x)": [None, "1", "2"],
    "lead(x, 1, 0)": ["2", "2", "0"],
    "first_value(x)": ["1", "1", "1"],
    "last_value(x)": ["1", "2", "2"],
    "nth_value(x, 1)": ["1", "1", "1"],
    "sum(x)": ["1", "5", "5"],
}


@pytest.fixture(scope="module")
def tables(aws: LocalAws) -> Tables:
    return Tables(aws)


def test_every_function_gives_what_trino_gives(tables: Tables) -> None:
    columns = ", ".join(f"{expression} AS c{index}" for index, expression in enumerate(SCALARS))
    (_, row) = tables.ask(f"SELECT {columns}")
    assert dict(zip(SCALARS, row, strict=True)) == SCALARS


def test_every_aggregate_gives_what_trino_gives(tables: Tables) -> None:
    columns = ", ".join(f"{expression} AS c{index}" for index, expression in enumerate(AGGREGATES))
    (_, row) = tables.ask(f"SELECT {columns} FROM {NUMBERS}")
    assert dict(zip(AGGREGATES, row, strict=True)) == AGGREGATES


def test_every_window_function_gives_what_trino_gives(tables: Tables) -> None:
    columns = ", ".join(f"{call} OVER (ORDER BY x) AS c{index}" for index, call in enumerate(WINDOWS))
    rows = tables.ask(
        f"SELECT {columns} FROM (VALUES (1), (2), (2)) AS t(x) ORDER BY x, row_number() OVER (ORDER BY x)"
    )
    found = {call: [row[index] for row in rows[1:]] for index, call in enumerate(WINDOWS)}
    assert found == WINDOWS


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_gives_what_trino_gives(tables: Tables, query: str) -> None:
    assert tables.ask(query)[1:] == QUERIES[query]


def test_every_function_that_is_offered_is_tried() -> None:
    tried = " ".join([*SCALARS, *AGGREGATES, *WINDOWS, *QUERIES]).lower()
    assert OFFERED - set(re.findall(r"([a-z_0-9]+)\s*\(", tried)) == set()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT strftime(now(), '%Y')", "does not offer the function 'strftime'"),
        ("SELECT * FROM read_parquet('/etc/passwd')", "does not offer the function 'read_parquet'"),
        ("SELECT median(x) FROM (VALUES (1)) AS t(x)", "does not offer the function 'median'"),
        ("WITH a AS (SELECT 1) SELECT list_sum(x) FROM a", "does not offer the function 'list_sum'"),
        ("SELECT 1::varchar", ":: is not known to Athena"),
        ("SELECT 7 // 2", "// is not known to Athena"),
        ("SELECT 'a' ILIKE 'A'", "ILIKE is not known to Athena"),
        ("SELECT [1, 2]", r"ARRAY\[...\]"),
        ("SELECT {'a': 1}", "is not known to Athena"),
        ("SELECT x FROM (VALUES (1)) AS t(x) LIMIT 1 OFFSET 1", "Athena wants OFFSET before LIMIT"),
        ("SELECT k, sum(x) FROM (VALUES ('a', 1)) AS t(k, x) GROUP BY ALL", "BY ALL is not known to Athena"),
        ("SELECT current_timestamp AS t", "gives no timestamp with time zone; cast it to timestamp"),
        (f"SELECT date_format({T1}, '%U')", "date_format: not offered here: %U"),
        (f"SELECT format_datetime({T1}, 'EEEE')", "format_datetime: not offered here: EEEE"),
        ("SELECT 1 / 0", "Division by zero"),
    ],
)
def test_what_would_not_work_on_aws_fails_by_name(tables: Tables, query: str, message: str) -> None:
    assert re.search(message, tables.reason(query))


@pytest.mark.parametrize(
    "words",
    ["SELECT x FROM UNNEST(ARRAY[1]) t(x)", "WITH a(x), b AS (SELECT 1)", "SELECT CAST(x AS varchar(3)) AS count"],
)
def test_names_of_columns_are_no_calls(words: str) -> None:
    tokens = [
        ("name" if text[0].isalpha() else "punct", text.lower(), index, index)
        for index, text in enumerate(re.findall(r"\w+|[^\w\s]", words))
    ]
    if words.startswith("WITH a(x),"):
        with pytest.raises(DialectError, match="'a'"):
            check_dialect(tokens)
    else:
        check_dialect(tokens)


def test_parameters_are_filled_in(tables: Tables) -> None:
    execution = tables.run("SELECT ? AS a, '?' AS b, ? AS c", ExecutionParameters=["'it''s; DROP TABLE x'", "-1.5e0"])
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    assert execution["Query"] == "SELECT ? AS a, '?' AS b, ? AS c"
    assert execution["ExecutionParameters"] == ["'it''s; DROP TABLE x'", "-1.5e0"]
    assert tables.rows(execution)[1:] == [["it's; DROP TABLE x", "?", "-1.5"]]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([], "expected 1 but found 0"),
        (["1", "2"], "expected 1 but found 2"),
        (["1; DROP TABLE x"], "must be one literal"),
        (["word"], "must be one literal, a text with its quotes"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(tables: Tables, parameters: list[str], message: str) -> None:
    more = {"ExecutionParameters": parameters} if parameters else {}
    with pytest.raises(tables.client.exceptions.InvalidRequestException, match=message):
        tables.run("SELECT ? AS a", **more)


def test_one_statement_at_a_time(tables: Tables) -> None:
    assert tables.ask("SELECT 1 AS a;")[1:] == [["1"]]
    with pytest.raises(tables.client.exceptions.InvalidRequestException, match="Only one sql statement"):
        tables.run("SELECT 1; SELECT 2")


def test_a_text_that_looks_like_a_place_in_s3_stays_a_text(tables: Tables) -> None:
    assert tables.ask("SELECT 's3://bucket/key' AS a")[1:] == [["s3://bucket/key"]]
