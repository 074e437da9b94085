{#
  Delete what was loaded into bronze more than `days` ago and log how many rows of each table.

  dbt run-operation bronze_retention --args '{days: 90}'
#}
{% macro bronze_retention(days=90) %}
  {% if days is not integer or days < 1 %}
    {{ exceptions.raise_compiler_error("bronze_retention: days is " ~ days ~ "; a whole number above 0 is needed") }}
  {% endif %}
  {% set oldest = (run_started_at - modules.datetime.timedelta(days=days)).strftime('%Y-%m-%d %H:%M:%S+00:00') %}
  {% for table in graph.sources.values() | selectattr('source_name', 'equalto', 'bronze') | sort(attribute='name') %}
    {% set relation = adapter.get_relation(table.database, table.schema, table.identifier) %}
    {% if relation is none %}
      {{ log(table.schema ~ "." ~ table.identifier ~ ": not there, nothing to do", info=true) }}
    {% else %}
      {% set expired = table.loaded_at_field ~ " < cast('" ~ oldest ~ "' as timestamp with time zone)" %}
      {% set rows = run_query("select count(*) from " ~ relation ~ " where " ~ expired).columns[0].values()[0] %}
      {% if rows %}
        {% call statement('delete_expired') %}delete from {{ relation }} where {{ expired }}{% endcall %}
        {% do adapter.commit() %}
      {% endif %}
      {{ log(table.schema ~ "." ~ table.identifier ~ ": " ~ rows ~ " rows older than " ~ days ~ " days deleted", info=true) }}
    {% endif %}
  {% endfor %}
{% endmacro %}
