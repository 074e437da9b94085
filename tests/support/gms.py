"""A stand-in for DataHub's metadata service: aspects over REST, and GraphQL over them by graphql-core.

Aspects are kept as they are proposed. A query that the schema (`datahub.graphql`) does not allow is answered
as DataHub does, and each answer is what graphql-core makes of the aspects by the schema's types.
"""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from graphql import GraphQLSchema, build_schema, execute, parse, validate

SCHEMA = Path(__file__).with_name("datahub.graphql").read_text()
TYPES = {
    "dataset": ("Dataset", "DATASET"),
    "dashboard": ("Dashboard", "DASHBOARD"),
    "chart": ("Chart", "CHART"),
    "mlFeatureTable": ("MLFeatureTable", "MLFEATURE_TABLE"),
    "mlFeature": ("MLFeature", "MLFEATURE"),
    "mlModel": ("MLModel", "MLMODEL"),
    "corpGroup": ("CorpGroup", "CORP_GROUP"),
    "corpuser": ("CorpUser", "CORP_USER"),
    "dataFlow": ("DataFlow", "DATA_FLOW"),
    "dataJob": ("DataJob", "DATA_JOB"),
    "assertion": ("Assertion", "ASSERTION"),
}
SECRET = "datahub-s3cret"


@dataclass
class Gms:
    """What the stand-in keeps, and how it misbehaves."""

    aspects: dict = field(default_factory=dict)
    schema: GraphQLSchema = None
    token: str = SECRET
    statuses: list = field(default_factory=list)
    """Statuses of the next answers, such as 503."""
    largest_page: int = 50
    lost_page: int = 0
    """The number of the page that comes without results."""
    most_edges: int = 500
    body: bytes | None = None
    """What is answered to every query instead."""
    proposed: list = field(default_factory=list)
    invalid: list = field(default_factory=list)
    authorized: list = field(default_factory=list)
    url: str = ""
    _pages: int = 0

    def __enter__(self):
        self.schema = self.schema or build_schema(SCHEMA)
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self._answer(*stand_in.get(self.path, self.headers))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(*stand_in.post(self.path, json.loads(body), self.headers))

            def _answer(self, status, body):
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def add(self, records):
        """Keep the aspects of records as a metadata file has them."""
        for one in records:
            self.aspects.setdefault(one["entityUrn"], {})[one["aspectName"]] = one["aspect"]["json"]

    def get(self, path, headers):
        if path == "/config":
            return 200, {"versions": {"acryldata/datahub": {"version": "v1.7.0"}}, "noCode": "true"}
        if failed := self._failed(headers):
            return failed
        parts = urlsplit(path)
        if parts.path.startswith("/entitiesV2/"):
            urn = unquote(parts.path.removeprefix("/entitiesV2/"))
            wanted = parts.query.removeprefix("aspects=List(").removesuffix(")").split(",")
            known = self.aspects.get(urn, {})
            found = {n: {"name": n, "version": 0, "value": known[n]} for n in wanted if n in known}
            return 200, {"entityName": urn.split(":")[2], "urn": urn, "aspects": found}
        return 404, {"message": "no such path"}

    def post(self, path, body, headers):
        if failed := self._failed(headers):
            return failed
        if path.startswith("/api/graphql"):
            return (200, self.body) if self.body is not None else (200, self.graphql(body))
        if path.startswith("/aspects?action=ingestProposal"):
            proposals = body.get("proposals") or [body["proposal"]]
            for one in proposals:
                self.proposed.append((one["entityUrn"], one["aspectName"]))
                value = json.loads(one["aspect"]["value"])
                self.aspects.setdefault(one["entityUrn"], {})[one["aspectName"]] = value
            return 200, {"value": "ok"}
        return 404, {"message": f"no such path {path}"}

    def _failed(self, headers):
        self.authorized.append(headers.get("Authorization"))
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"message": "Unauthorized"}
        if self.statuses:
            return self.statuses.pop(0), {"message": "busy"}
        return None

    def graphql(self, body):
        document = parse(body["query"])
        if problems := validate(self.schema, document):
            self.invalid.append(problems[0].message)
            text = f"Validation error: {problems[0].message} is undefined"
            return {"errors": [{"message": text}], "data": None}
        root = {"scrollAcrossEntities": self._entities, "scrollAcrossLineage": self._lineage}
        done = execute(self.schema, document, root_value=root, variable_values=body["variables"])
        if done.errors:
            self.invalid += [str(error) for error in done.errors]
        return {
            "data": done.data,
            **({"errors": [{"message": str(e)} for e in done.errors]} if done.errors else {}),
        }

    def _entities(self, _info, input):  # noqa: A002
        found = [urn for urn in sorted(self.aspects) if self._wanted(urn, input)]
        return self._page([{"entity": self.entity(urn)} for urn in found], input)

    def _wanted(self, urn, wanted):
        kind = urn.split(":")[2]
        removed = self.aspects[urn].get("status", {}).get("removed")
        if TYPES.get(kind, ("", ""))[1] not in wanted["types"]:
            return False
        if removed and not (wanted.get("searchFlags") or {}).get("includeSoftDeleted"):
            return False
        filters = [one for group in wanted.get("orFilters") or () for one in group["and"]]
        return all(self._matches(urn, one) for one in filters)

    def _matches(self, urn, wanted):
        if wanted["field"] == "platform":
            return any(
                f"({value}," in urn or f":({value.rpartition(':')[2]}," in urn for value in wanted["values"]
            )
        custom = [
            f"{key}={value}"
            for aspect in self.aspects[urn].values()
            for key, value in (aspect.get("customProperties") or {}).items()
        ]
        return any(value in custom for value in wanted["values"])

    def _lineage(self, _info, input):  # noqa: A002
        found = [{"entity": self.entity(urn), "degree": 1} for urn, _ in self.upstreams(input["urn"])]
        return self._page(found, input)

    def _page(self, found, wanted):
        self._pages += 1
        start, size = int(wanted.get("scrollId") or 0), min(wanted.get("count") or 10, self.largest_page)
        page = [] if self._pages == self.lost_page else found[start : start + size]
        following = str(start + size) if start + size < len(found) else None
        return {"nextScrollId": following, "count": len(page), "total": len(found), "searchResults": page}

    def upstreams(self, urn):
        """Return the URNs that an entity is made from, and the time of each edge."""
        aspects = self.aspects.get(urn, {})
        found = [
            (one["dataset"], (one.get("auditStamp") or {}).get("time"))
            for one in aspects.get("upstreamLineage", {}).get("upstreams", ())
        ]
        for name in ("dashboardInfo", "chartInfo"):
            for key in ("datasetEdges", "dashboards", "chartEdges", "inputEdges"):
                found += [(e["destinationUrn"], None) for e in aspects.get(name, {}).get(key, ())]
        return [one for one in found if not self.aspects.get(one[0], {}).get("status", {}).get("removed")]

    def entity(self, urn):
        """Return an entity as the schema's type has it."""
        aspects = self.aspects.get(urn, {})
        typename, kind = TYPES[urn.split(":")[2]]
        found = {"__typename": typename, "urn": urn, "type": kind, "lastIngested": 1764000000000}
        found["status"] = {"removed": bool(aspects.get("status", {}).get("removed"))}
        found |= {"subTypes": aspects.get("subTypes"), "schemaMetadata": aspects.get("schemaMetadata")}
        found["inputFields"] = aspects.get("inputFields")
        found["trainingData"] = aspects.get("mlModelTrainingData", {}).get("trainingData")
        found["lineage"] = lambda _info, **given: self._relationships(urn, given["input"])
        if "dataPlatformInstance" in aspects and aspects["dataPlatformInstance"].get("instance"):
            instance = aspects["dataPlatformInstance"]["instance"]
            key = {"urn": instance, "type": "DATA_PLATFORM_INSTANCE"}
            found["dataPlatformInstance"] = key | {"instanceId": instance.rpartition(",")[2].rstrip(")")}
        if "ownership" in aspects:
            owners = [{"owner": self.entity(one["owner"])} for one in aspects["ownership"]["owners"]]
            found["ownership"] = {"owners": owners}
        found["properties"] = self._properties(aspects, typename)
        found["fineGrainedLineages"] = [
            {
                "upstreams": [_field(one) for one in entry.get("upstreams") or ()],
                "downstreams": [_field(one) for one in entry.get("downstreams") or ()],
                "transformOperation": entry.get("transformOperation"),
            }
            for entry in aspects.get("upstreamLineage", {}).get("fineGrainedLineages") or ()
        ]
        return found

    def _relationships(self, urn, wanted):
        everything = self.upstreams(urn)
        size = min(wanted["count"], self.most_edges)
        related = [
            {"type": "DownstreamOf", "entity": self.entity(one), "updatedOn": at or None, "isManual": False}
            for one, at in everything[:size]
        ]
        return {
            "start": 0,
            "count": len(related),
            "total": len(everything),
            "filtered": 0,
            "relationships": related,
        }

    def _properties(self, aspects, typename):
        names = ("datasetProperties", "dashboardInfo", "chartInfo", "mlFeatureTableProperties")
        names += ("mlFeatureProperties", "mlModelProperties", "corpGroupInfo")
        value = next((aspects[name] for name in names if name in aspects), None)
        if value is None:
            return None
        custom = [{"key": key, "value": text} for key, text in (value.get("customProperties") or {}).items()]
        found = {**value, "name": value.get("name") or value.get("title"), "customProperties": custom}
        if typename == "MLFeatureTable":
            found["mlFeatures"] = [self.entity(urn) for urn in value.get("mlFeatures") or ()]
        if typename == "MLFeature":
            found["sources"] = [self.entity(urn) for urn in value.get("sources") or ()]
        return found


def _field(urn):
    dataset, _, path = urn.removeprefix("urn:li:schemaField:(").removesuffix(")").rpartition(",")
    return {"urn": dataset, "path": path}
