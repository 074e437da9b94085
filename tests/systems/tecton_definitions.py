"""Definitions in the form of `tecton dump`, for a feature view over one Snowflake table."""

import copy

SQL = '''
def customer_engagement(behavior):
    """Rows of the mart, and the days since the last purchase."""
    return f"""
        SELECT
            customer_id,
            event_date,
            event_count,
            total_revenue,
            DATEDIFF('day', MAX(CASE WHEN event_type = 'purchase' THEN event_date END)
                OVER (PARTITION BY customer_id), CURRENT_DATE) AS days_since_last_purchase
        FROM {behavior}
    """
'''
HOST = "https://acme.tecton.ai"
VIEW = "customer_engagement_features"


def an_id(number):
    return {"mostSignificantBits": str(number), "leastSignificantBits": "7"}


def info(name, **more):
    return {"name": name, "description": "", "owner": "", **more}


def snowflake_source(number=1, name="customer_behavior", **config):
    table = {
        "url": "https://acme-analytics.snowflakecomputing.com",
        "database": "ANALYTICS",
        "schema": "GOLD",
        "table": "CUSTOMER_BEHAVIOR",
        "query": "",
    }
    return {
        "virtualDataSource": {
            "virtualDataSourceId": an_id(number),
            "info": info(name),
            "snowflakeDsConfig": table | config,
        }
    }


def entity(number=2, keys=("customer_id",)):
    return {
        "entity": {
            "entityId": an_id(number),
            "info": info("customer"),
            "joinKeys": [{"name": key, "offlineDataType": {"type": "DATA_TYPE_STRING"}} for key in keys],
        }
    }


def transformation(number=3, body=SQL, mode="SNOWFLAKE_SQL", name="customer_engagement"):
    return {
        "transformation": {
            "transformationId": an_id(number),
            "info": info(name),
            "transformationMode": f"TRANSFORMATION_MODE_{mode}",
            "userFunction": {"name": name, "body": body},
        }
    }


def source_node(number=1):
    return {"dataSourceNode": {"virtualDataSourceId": an_id(number), "inputName": "behavior"}}


def transformed(*inputs, number=3):
    return {
        "transformationNode": {
            "transformationId": an_id(number),
            "inputs": [{"argIndex": at, "node": node} for at, node in enumerate(inputs)],
        }
    }


def aggregate(name, column, function, days):
    return {
        "name": name,
        "column": column,
        "columnDtype": {"type": "DATA_TYPE_FLOAT64"},
        "function": function,
        "timeWindow": {"windowDuration": f"{days * 86_400}s", "offset": "0s"},
    }


def feature_view(number=4, name=VIEW, root=None, batch=None, **more):
    features = {
        "timestampField": "event_date",
        "dataSourceType": "BATCH",
        "aggregationInterval": "86400s",
        "aggregations": [
            aggregate("7_day_event_count", "event_count", "sum", 7),
            aggregate("30_day_purchase_amount", "total_revenue", "sum", 30),
        ],
        "attributes": [
            {
                "name": "",
                "column": "days_since_last_purchase",
                "columnDtype": {"type": "DATA_TYPE_INT64"},
            }
        ],
    }
    return {
        "featureView": {
            "featureViewId": an_id(number),
            "featureViewType": "FEATURE_VIEW_TYPE_FWV5_FEATURE_VIEW",
            "info": info(name, owner="ml-platform"),
            "entities": [{"entityId": an_id(2), "joinKeys": []}],
            "onlineEnabled": True,
            "offlineEnabled": True,
            "materializedFeatureViewArgs": features if batch is None else batch,
            "pipeline": {"root": root or transformed(source_node())},
            **more,
        }
    }


def service(number=5, *views):
    references = [{"featureViewId": an_id(view), "namespace": ""} for view in views or (4,)]
    return {
        "featureService": {
            "featureServiceId": an_id(number),
            "info": info("churn_service"),
            "featureReferences": references,
        }
    }


def dump(*definitions):
    given = definitions or (snowflake_source(), entity(), transformation(), feature_view(), service())
    return {"request": {"workspace": "", "fcoArgs": copy.deepcopy(list(given)), "repoSourceInfo": {}}}


def difference(transition, name=VIEW, kind="FEATURE_VIEW"):
    return {"transitionType": transition, "objectMetadata": {"name": name, "objectType": kind}}


def plan(*differences):
    return {"objectDiffs": list(differences)}
