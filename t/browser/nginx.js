'use strict';

// An nginx of one's own with the module, the status page and an application
// behind it, and a client to send it webhooks.
//
//   const nginx = await Nginx.start({ ... });   // see configuration()
//   await nginx.send(event('team.updated'));    // the status
//   await nginx.stop();

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const { Nginx: Base, freePort } = require('../lib/nginx');

const PAGE = path.join(__dirname, '../../html/clockodo-status.html');

const HOST = 'hooks.example.com';
const TOKEN = 'My_Sup3r_T0k3n';
const NEXT_TOKEN = 'An0ther_T0k3n';


// The body of an event, as text; "change" replaces members or adds some.

function event(name = 'team.updated', change = {}) {
  const entity = name.split('.')[0];
  const budget = { id: 9001, type: 'projectBudget', threshold: 80 };

  return JSON.stringify({
    subscription_id: 42,
    company_id: 1337,
    occurred_at: '1986-05-10T17:02:00Z',
    payload: name === 'project.budget_notification' ? budget : { [entity]: { id: 9001 } },
    event_name: name,
    token: TOKEN,
    ...change,
  });
}


class Nginx extends Base {

  // Options: main, http, server, webhook: more lines of the configuration there;
  // secrets: the value of clockodo_secret_file; dedupe: of the location
  // /billing; status: instead of what the location of the JSON has; env: of
  // nginx.

  static async start(options = {}) {
    const nginx = new Nginx();

    nginx.prepare();
    nginx.port = await freePort();
    nginx.options = options;

    fs.mkdirSync(nginx.file('html'));
    fs.copyFileSync(PAGE, nginx.file('html/clockodo-status.html'));

    nginx.configure();
    await nginx.spawn();

    return nginx;
  }

  get url() {
    return `http://127.0.0.1:${this.port}/clockodo-status.html`;
  }

  configure(change = {}) {
    Object.assign(this.options, change);
    super.configure({ main: `worker_processes 2;\n${this.options.main || ''}` });
  }

  configuration() {
    return configuration(this, this.options);
  }

  spawn() {
    return super.spawn(this.options.env);
  }

  signalWorkers(signal) {
    const { pid } = this.process;
    const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');

    children.trim().split(' ').forEach((worker) => process.kill(Number(worker), signal));
  }

  // Reads the configuration again, with other options, and waits until it is
  // that one which answers.

  async reload(change) {
    this.configure({ ...change, generation: (this.options.generation || 0) + 1 });
    this.process.kill('SIGHUP');

    for (let i = 0; i < 500; i++) {
      const reply = await this.request({ path: '/generation' });

      if (reply.body === String(this.options.generation)) {
        return;
      }

      await sleep(20);
    }

    throw new Error('nginx did not reload');
  }

  // Sends a request; resolves with status, headers and body.

  request({ method = 'GET', path: uri, headers = {}, body = '' }) {
    return new Promise((resolve, reject) => {
      const request = http.request({
        host: '127.0.0.1', port: this.port, path: uri, method, agent: false,
        headers: { Host: HOST, 'Content-Length': Buffer.byteLength(body), ...headers },
      }, (reply) => {
        const parts = [];

        reply.on('data', (part) => parts.push(part));
        reply.on('error', reject);
        reply.on('end', () => resolve({
          status: reply.statusCode,
          headers: reply.headers,
          body: Buffer.concat(parts).toString(),
        }));
      });

      request.on('error', reject);
      request.end(body);
    });
  }

  // Sends a webhook; resolves with the status.

  async send(body, { path: uri = '/clockodo', headers, ...rest } = {}) {
    const reply = await this.request({
      method: 'POST', path: uri, body,
      headers: { 'Content-Type': 'application/json', ...headers },
      ...rest,
    });

    return reply.status;
  }

  async status() {
    const reply = await this.request({ path: '/clockodo-status.json' });

    return JSON.parse(reply.body);
  }

  // The figures, once all "total" requests are counted: nginx does that when
  // the client has got its reply.

  async counted(total) {
    for (let i = 0; i < 500; i++) {
      const figures = await this.status();
      const requests = figures.locations.flatMap((l) => Object.values(l.requests));

      if (requests.reduce((a, b) => a + b) === total) {
        return figures;
      }

      await sleep(20);
    }

    throw new Error(`nginx has not counted ${total} requests`);
  }
}


function configuration({ root, port }, options) {
  return `
    default_type text/html;
    ${options.http || ''}

    # the client of most calls is an address of documentation
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Test-Client;

    server {
        listen 127.0.0.1:${port};
        server_name ${HOST};

        location = /clockodo {
            clockodo_webhook on;
            clockodo_token ${TOKEN};
            clockodo_token ${NEXT_TOKEN} subscription=43;
            clockodo_secret_file ${options.secrets || 'secrets'};
            clockodo_events entry.* team.* *.deleted project.budget_notification;
            clockodo_unknown_events reject;
            clockodo_company 1337;
            clockodo_max_body_size 1k;
            ${options.webhook || ''}
            proxy_pass http://application;
        }

        location = /billing {
            clockodo_webhook on;
            clockodo_token ${TOKEN};
            clockodo_dedupe ${options.dedupe || 'drop'};
            proxy_pass http://application;
        }

        location = /staging {
            clockodo_webhook on;
            clockodo_token ${TOKEN};
            clockodo_max_age 1h;
            proxy_pass http://application;
        }

        ${options.server || ''}

        location = /clockodo-status.json {
            ${options.status || 'clockodo_status;'}
        }

        location = /clockodo-status.html {
            root html;
        }

        location = /generation {
            return 200 ${options.generation || 0};
        }
    }

    # The application: it does not take what it is told about users and about
    # what was deleted.

    upstream application {
        server unix:${root}/application.sock;
    }

    map $http_x_clockodo_event $application_status {
        default     200;
        ~\\.deleted$ 500;
        ~^user\\.    404;
    }

    server {
        listen unix:${root}/application.sock;

        location / {
            client_max_body_size 1m;
            if ($application_status = 500) { return 500; }
            if ($application_status = 404) { return 404; }
            return 200;
        }
    }
`;
}


module.exports = { Nginx, event, HOST, TOKEN, NEXT_TOKEN };
