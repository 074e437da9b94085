{#
  The embedded stand-in for AWS DMS: one current image for each primary key of a CRM table.

  Lands the rows that are new or changed since the last load, and once more a row that is gone from the
  source, as a tombstone. `_op` is DMS's: I, U or D. The newest rows are landed again by every load, as a
  reader that resumes at its last log position does; so a load that finds no change still shows that it ran.
#}
{% macro capture_changes(table, key, columns) -%}
{%- if not is_incremental() -%}
select
  {%- for column in columns %}
  origin.{{ column }},
  {%- endfor %}
  'I' as _op,
  {{ dbt.current_timestamp() }} as _loaded_at
from {{ source('crm', table) }} as origin
{%- else -%}
select
  {%- for column in columns %}
  origin.{{ column }},
  {%- endfor %}
  case when coalesce(landed._op, 'D') = 'D' then 'I' else 'U' end as _op,
  {{ dbt.current_timestamp() }} as _loaded_at
from {{ source('crm', table) }} as origin
left join {{ this }} as landed on landed.{{ key }} = origin.{{ key }}
where coalesce(landed._op, 'D') = 'D'
  or landed.updated_at <> origin.updated_at
  or origin.updated_at >= (select max(newest.updated_at) from {{ this }} as newest)

union all

select
  {%- for column in columns %}
  landed.{{ column }},
  {%- endfor %}
  'D' as _op,
  {{ dbt.current_timestamp() }} as _loaded_at
from {{ this }} as landed
left join {{ source('crm', table) }} as origin on origin.{{ key }} = landed.{{ key }}
where origin.{{ key }} is null
  and landed._op <> 'D'
{%- endif -%}
{%- endmacro %}
