-- owner: capture

-- What exchanges of MCP are about: a row for each exchange of dialect `mcp`, so that those of models, which are the
-- many, have nothing to carry. Partitioned as `exchanges` are; a filter gives the range of ids on both sides.
create table mcp_exchanges (
  id uuid primary key,
  tenant text not null,
  -- `client`: between a client and the portal; `upstream`: between the portal and a server.
  hop text not null,
  -- The portal's name, or the server's.
  peer text,
  rpc text,
  -- The tool, prompt or resource, as the peer knows it.
  name text,
  session text,
  -- The agent's own session, and its agent within, where the client tells them.
  client_session text,
  client_agent text,
  -- The model's id of the tool use that caused it.
  tool_use text,
  -- The exchange that caused this one.
  parent uuid
) partition by range (id);
create index on mcp_exchanges (peer, id) where peer is not null;
create index on mcp_exchanges (rpc, id) where rpc is not null;
create index on mcp_exchanges (name, id) where name is not null;
create index on mcp_exchanges (session, id) where session is not null;
create index on mcp_exchanges (client_session, id) where client_session is not null;
create index on mcp_exchanges (tool_use, id) where tool_use is not null;
create index on mcp_exchanges (parent, id) where parent is not null;

-- The tool uses that a model's answer asked for: by their ids a tool's call finds the answer that caused it, whichever
-- of the two is stored first.
create table tool_uses (
  -- The exchange's.
  id uuid not null,
  tool_use text not null,
  -- In the answer, from 0.
  place smallint not null,
  name text,
  primary key (id, tool_use)
) partition by range (id);
create index on tool_uses (tool_use, id);
