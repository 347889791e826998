'use strict';

// An nginx with the module, in front of an application that remembers what it
// gets, by HTTP/1.1 with connections that are kept and by HTTP/2.
//
//   const edge = await Edge.start((app) => 'location / { ... }');
//                                       // app.http, app.http2: HOST:PORT
//   await edge.send(path, body);        // all at once; the application's view,
//                                       // { headers, body }
//   await edge.chunked(path, body);
//   await edge.http2(path, body);
//   await edge.stop();

const http = require('node:http');
const http2 = require('node:http2');

const { Nginx, freePort } = require('../lib/nginx');


class Edge extends Nginx {

  static async start(locations) {
    const edge = new Edge();

    edge.prepare();
    edge.got = [];

    edge.applications = [http.createServer(), http2.createServer()];

    for (const application of edge.applications) {
      application.on('request', (request, response) => edge.take(request, response));
      await new Promise((resolve) => { application.listen(0, '127.0.0.1', resolve); });

      // a test that fails before it stops them still ends
      application.unref();
    }

    const [http1, grpc] = edge.applications.map((a) => `127.0.0.1:${a.address().port}`);

    edge.port = await freePort();
    edge.http2Port = await freePort();
    edge.locations = locations({ http: http1, http2: grpc });
    edge.configure({ level: 'info' });

    await edge.spawn();

    edge.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    edge.session = http2.connect(`http://127.0.0.1:${edge.http2Port}`);

    return edge;
  }

  configuration() {
    return `
    server {
        listen 127.0.0.1:${this.port};
        listen 127.0.0.1:${this.http2Port} http2;

        ${this.locations}
    }
`;
  }

  take(request, response) {
    const parts = [];

    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      this.got.push({ headers: request.headers, body: Buffer.concat(parts) });
      response.end();
    });
  }

  async stop() {
    this.agent.destroy();
    this.session.close();

    await super.stop();

    this.applications[0].closeAllConnections();
    this.applications.forEach((application) => application.close());
  }

  // What has come to the application by one request, which succeeds.

  async one(request) {
    const before = this.got.length;
    const status = await request;

    if (status !== 200 || this.got.length !== before + 1) {
      throw new Error(`${status}, ${this.got.length - before} requests`);
    }

    return this.got[before];
  }

  send(uri, body) {
    return this.one(this.http1(uri, [body], { 'Content-Length': Buffer.byteLength(body) }));
  }

  chunked(uri, body) {
    return this.one(this.http1(uri, body.match(/[^]{1,1000}/g), {}));
  }

  http1(uri, parts, headers) {
    return new Promise((resolve, reject) => {
      const request = http.request({
        host: '127.0.0.1', port: this.port, path: uri, method: 'POST', agent: this.agent,
        headers: { 'Content-Type': 'application/json', ...headers },
      }, (reply) => {
        reply.resume();
        reply.on('error', reject);
        reply.on('end', () => resolve(reply.statusCode));
      });

      request.on('error', reject);
      parts.forEach((part) => request.write(part));
      request.end();
    });
  }

  http2(uri, body) {
    return this.one(new Promise((resolve, reject) => {
      const request = this.session.request({
        ':method': 'POST', ':path': uri, 'content-type': 'application/json',
      });
      let status;

      request.on('response', (headers) => { status = headers[':status']; });
      request.on('error', reject);
      request.on('end', () => resolve(status));
      request.resume();
      request.end(body);
    }));
  }
}


module.exports = { Edge };
