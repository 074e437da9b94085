"""Functions by their effect on a value: classes of sqlglot, and names for the others."""

from __future__ import annotations

from airflow_lineage_provider.sql.compat import classes


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The output is only a digest of the value.
HASHES = classes(
    "MD5",
    "MD5Digest",
    "MD5NumberLower64",
    "MD5NumberUpper64",
    "SHA",
    "SHA1Digest",
    "SHA2",
    "SHA2Digest",
    "FarmFingerprint",
    "StandardHash",
    "CityHash64",
)
HASH_NAMES = _names("""
    md5 md5_hex md5_binary md5_number sha sha1 sha1_hex sha1_binary sha2 sha2_hex sha2_binary sha224 sha256
    sha384 sha512 hash hashbytes hash_agg checksum binary_checksum crc32 crc32c xxhash64 xxh3_64 murmur3
    murmur_hash mmh3 farm_fingerprint farmhash64 cityhash64 siphash64 fnv_hash digest hmac hmac_sha256 crypt
    standard_hash ora_hash
""")
# The output is only a number of values.
COUNTS = classes("Count", "CountIf", "ApproxDistinct", "Hll")
COUNT_NAMES = _names("approx_count_distinct count_if countif uniq uniqexact hll_count")

AGGREGATES = classes("AggFunc", "AnonymousAggFunc", "CombinedAggFunc", "ParameterizedAgg")
AGGREGATE_NAMES = _names("""
    ratio_to_report
    listagg string_agg group_concat median mode kurtosis skewness entropy histogram product any_value
    bool_and bool_or every bit_and bit_or bit_xor array_unique_agg object_agg json_agg jsonb_agg
    json_object_agg jsonb_object_agg json_arrayagg json_objectagg collect_list collect_set approx_percentile
    approx_quantile approx_top_k percentile regr_slope regr_intercept covar_pop covar_samp arg_min_null
    arg_max_null first last list max_by min_by argmin argmax arbitrary sumif sum_if avg_if quantile grouparray
    groupuniqarray topk bitmap_union hll_union_agg fsum favg geomean sumkahan
""")
# Not aggregates, although sqlglot derives them from AggFunc: they pick a value of a row, or rank rows.
PICKS_A_ROW = classes(
    "Lag",
    "Lead",
    "FirstValue",
    "LastValue",
    "NthValue",
    "RowNumber",
    "Rank",
    "DenseRank",
    "PercentRank",
    "CumeDist",
    "Ntile",
)

# Functions that read files: their dataset is the path.
READERS = _names("""
    read_parquet parquet_scan readparquet read_csv readcsv read_csv_auto read_json read_json_auto
    read_json_objects read_ndjson read_ndjson_auto read_text read_blob read_xlsx read_avro delta_scan
    iceberg_scan read_files st_read s3 gcs hdfs file url openrowset
""")
FILE_FORMATS = _names("parquet csv json delta orc text avro iceberg binaryfile")
# The columns of table functions where the statement does not name them.
FUNCTION_COLUMNS = {
    "flatten": ("seq", "key", "path", "index", "value", "this"),
    "json_each": ("key", "value", "type", "atom", "id", "parent", "fullkey", "path"),
    "jsonb_each": ("key", "value"),
    "json_each_text": ("key", "value"),
    "jsonb_each_text": ("key", "value"),
    "json_array_elements": ("value",),
    "jsonb_array_elements": ("value",),
    "json_array_elements_text": ("value",),
    "jsonb_array_elements_text": ("value",),
    "json_object_keys": ("json_object_keys",),
    "jsonb_object_keys": ("jsonb_object_keys",),
    "string_split": ("value",),
    "split_to_table": ("seq", "index", "value"),
    "openjson": ("key", "value", "type"),
    "explode": ("col", "key", "value"),
    "posexplode": ("pos", "col", "key", "value"),
}

# Table functions with one column, named by the alias.
ONE_COLUMN = _names("""
    unnest generate_series range generate_subscripts generate_date_array generate_timestamp_array explode
    regexp_split_to_table string_to_table json_object_keys jsonb_object_keys json_array_elements
    jsonb_array_elements json_array_elements_text jsonb_array_elements_text glob exploding_generate_series
""")

# Date parts: some dialects write them without quotes, as arguments of functions.
DATE_PARTS = _names("""
    year years yy yyyy quarter quarters qq month months mm week weeks wk isoweek dayofweek weekday dow day
    days dd dayofyear doy hour hours hh minute minutes mi second seconds ss millisecond milliseconds ms
    microsecond microseconds us nanosecond nanoseconds ns epoch isoyear iso_week timezone
""")
_NEVER_COLUMNS = _names("""
    default current_date current_timestamp current_time current_user session_user current_role localtime
    localtimestamp grouping__id
""")
_ORACLE = _names("sysdate systimestamp rownum rowid level user connect_by_isleaf connect_by_iscycle")
# Keywords that are values. Such a name is a column only where a table is known to have it.
_VALUES = {
    "oracle": _NEVER_COLUMNS | _ORACLE,
    "redshift": _NEVER_COLUMNS | {"sysdate"},
    "tsql": _NEVER_COLUMNS | {"$action"},
}


def is_value(word: str, dialect: str) -> bool:
    """Tell whether an unquoted name is a keyword with a value in the dialect, such as `current_date`."""
    return word.lower() in _VALUES.get(dialect, _NEVER_COLUMNS)
