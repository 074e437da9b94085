{# A layer is the schema of its name, in every environment: `silver`, not `<target schema>_silver`. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
