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

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const BINARY = process.env.TEST_NGINX_BINARY || '/usr/sbin/nginx';
const MODULES = (process.env.TEST_NGINX_LOAD_MODULES || '').split(' ').filter(Boolean);

const running = new Set();

process.on('exit', () => running.forEach((child) => child.kill()));


class Edge {

  static async start(locations) {
    const edge = new Edge();

    edge.root = fs.mkdtempSync(path.join(os.tmpdir(), 'clockodo-'));
    edge.got = [];

    // nginx's workers are not root, and have to get there
    fs.chmodSync(edge.root, 0o755);

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
    fs.writeFileSync(edge.file('nginx.conf'),
      configuration(edge, locations({ http: http1, http2: grpc })));

    await edge.spawn();

    edge.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    edge.session = http2.connect(`http://127.0.0.1:${edge.http2Port}`);

    return edge;
  }

  file(name) {
    return path.join(this.root, name);
  }

  take(request, response) {
    const parts = [];

    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      this.got.push({ headers: request.headers, body: Buffer.concat(parts) });
      response.end();
    });
  }

  async spawn() {
    const log = fs.openSync(this.file('start.log'), 'a');

    this.process = spawn(BINARY, ['-p', `${this.root}/`, '-c', 'nginx.conf', '-e', 'error.log'],
      { stdio: ['ignore', log, log] });
    this.ended = new Promise((resolve) => { this.process.once('exit', resolve); });

    fs.closeSync(log);
    running.add(this.process);
    this.ended.then(() => running.delete(this.process));

    // nginx writes its pid once it listens
    for (let i = 0; i < 500; i++) {
      if (fs.existsSync(this.file('nginx.pid')) && fs.statSync(this.file('nginx.pid')).size) {
        return;
      }

      if (this.process.exitCode !== null) {
        break;
      }

      await sleep(20);
    }

    throw new Error(`nginx did not start:\n${fs.readFileSync(this.file('start.log'))}`);
  }

  async stop() {
    this.agent.destroy();
    this.session.close();
    this.process.kill('SIGTERM');
    await this.ended;

    this.applications[0].closeAllConnections();
    this.applications.forEach((application) => application.close());

    fs.rmSync(this.root, { recursive: true });
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


function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();

    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();

      server.close(() => resolve(port));
    });
  });
}


function configuration({ port, http2Port }, locations) {
  const user = process.getuid() === 0 ? 'user www-data;' : '';

  return `
${MODULES.map((file) => `load_module ${file};`).join('\n')}
${user}
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log info;

events {
    worker_connections 256;
}

http {
    access_log off;
    client_body_temp_path client_body_temp;
    proxy_temp_path proxy_temp;
    fastcgi_temp_path fastcgi_temp;
    uwsgi_temp_path uwsgi_temp;
    scgi_temp_path scgi_temp;

    server {
        listen 127.0.0.1:${port};
        listen 127.0.0.1:${http2Port} http2;

        ${locations}
    }
}
`;
}


module.exports = { Edge };
