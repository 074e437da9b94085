{# Rows whose text is no DECIMAL(10,2): silver leaves them out, so someone has to hear of them. #}
{% test decimal_text(model, column_name) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} is null
  or not {{ is_decimal(column_name) }}
{% endtest %}
