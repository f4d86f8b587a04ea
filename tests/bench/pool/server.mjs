// SPDX-License-Identifier: MIT
// server: the least MCP server over the published SDK, for a cold start of it:
// no sessions, one tool, its connections on descriptor 3.
import { createServer } from "node:http";
import { McpServer } from "../../e2e/node_modules/@modelcontextprotocol/sdk/dist/esm/server/mcp.js";
import { StreamableHTTPServerTransport } from "../../e2e/node_modules/@modelcontextprotocol/sdk/dist/esm/server/streamableHttp.js";

createServer(async (request, response) => {
  const server = new McpServer({ name: "bench", version: "1" });
  server.registerTool("greet", { description: "Greets." },
    async () => ({ content: [{ type: "text", text: "Hello." }] }));
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: undefined, enableJsonResponse: true });
  await server.connect(transport);
  await transport.handleRequest(request, response);
}).listen({ fd: 3 });
