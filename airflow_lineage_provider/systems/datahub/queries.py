"""The GraphQL queries that read DataHub, for its schema of 1.x."""

from __future__ import annotations

PAGE = 200
EDGES = 500
"""How many edges of an entity come with it; the others are read page by page."""

_LINEAGE = f"""
      lineage(input: {{direction: UPSTREAM, start: 0, count: {EDGES}, separateSiblings: true}}) {{
        start count total filtered
        relationships {{ type createdOn updatedOn isManual entity {{ urn }} }}
      }}
"""
_COMMON = """
      status { removed }
      ownership { owners { owner {
        ... on CorpUser { urn info { displayName } } ... on CorpGroup { urn properties { displayName } }
      } } }
      dataPlatformInstance { instanceId }
"""
_FIELDS = (
    "inputFields { fields { schemaFieldUrn schemaField { fieldPath nativeDataType description jsonProps } } }"
)

ENTITIES = f"""
query lineageEntities($input: ScrollAcrossEntitiesInput!) {{
  scrollAcrossEntities(input: $input) {{
    nextScrollId count total
    searchResults {{ entity {{
      urn type
      ... on Dataset {{
        {_COMMON} {_LINEAGE} lastIngested
        properties {{ name description customProperties {{ key value }} }}
        subTypes {{ typeNames }}
        siblings {{ siblings {{ urn }} }}
        schemaMetadata {{ fields {{ fieldPath nativeDataType description }} }}
        fineGrainedLineages {{ upstreams {{ urn path }} downstreams {{ urn path }} transformOperation }}
      }}
      ... on Dashboard {{
        {_COMMON} {_LINEAGE} {_FIELDS} lastIngested
        boardProperties: properties {{ name description customProperties {{ key value }} }}
        subTypes {{ typeNames }}
      }}
      ... on Chart {{
        {_COMMON} {_LINEAGE} {_FIELDS} lastIngested
        chartProperties: properties {{ name description customProperties {{ key value }} }}
      }}
      ... on MLFeatureTable {{
        {_COMMON} lastIngested
        tableProperties: properties {{ description mlFeatures {{ urn }} customProperties {{ key value }} }}
      }}
      ... on MLFeature {{
        status {{ removed }}
        featureProperties: properties {{ description sources {{ urn }} customProperties {{ key value }} }}
      }}
      ... on MLModel {{
        {_COMMON} lastIngested
        modelProperties: properties {{ name description mlFeatures customProperties {{ key value }} }}
        trainingData {{ dataset }}
      }}
    }} }}
  }}
}}
"""

UPSTREAMS = """
query lineageUpstreams($input: ScrollAcrossLineageInput!) {
  scrollAcrossLineage(input: $input) {
    nextScrollId count total
    searchResults { degree entity { urn type } }
  }
}
"""

REGISTERED = """
query registeredEntities($input: ScrollAcrossEntitiesInput!) {
  scrollAcrossEntities(input: $input) {
    nextScrollId count total
    searchResults { entity { urn type } }
  }
}
"""
