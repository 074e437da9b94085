{# True for text that DECIMAL(10,2) holds exactly. One pattern, because warehouses differ in what they would cast. #}
{% macro is_decimal(column) %}{{ return(adapter.dispatch('is_decimal')(column)) }}{% endmacro %}

{% macro default__is_decimal(column) -%}
  {{ column }} ~ '^ *[+-]?[0-9]{1,8}([.][0-9]{1,2})? *$'
{%- endmacro %}

{% macro snowflake__is_decimal(column) -%}
  regexp_like({{ column }}, '^ *[+-]?[0-9]{1,8}([.][0-9]{1,2})? *$')
{%- endmacro %}
