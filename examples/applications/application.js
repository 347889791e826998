#!/usr/bin/node

// An application that takes each of Clockodo's events exactly once, with nothing
// but files:
//
//     node application.js FOLDER PORT
//     node application.js --work FOLDER
//
// It listens on 127.0.0.1, writes an event into FOLDER/new, under its key,
// answers 200, and does its work later.  With --work it does what is left and
// exits.  With a database, keep keys in a table of it, as the other examples do.

'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const args = process.argv.slice(2);
const once = args[0] === '--work';
const [folder, port] = once ? args.slice(1) : args;

for (const name of ['tmp', 'new', 'done']) {
    fs.mkdirSync(path.join(folder, name), { recursive: true });
}

let number = 0;


function flush(file) {
    const fd = fs.openSync(file, 'r');

    fs.fsyncSync(fd);
    fs.closeSync(fd);
}


// Whole or not at all, and on the disk.  One that is there, or was done, is a
// repeat.

function store(key, text) {
    const tmp = path.join(folder, 'tmp', `${process.pid}.${number++}`);

    fs.writeFileSync(tmp, text);
    flush(tmp);

    try {
        if (!fs.existsSync(path.join(folder, 'done', key))) {
            fs.linkSync(tmp, path.join(folder, 'new', key));
        }
    } catch (error) {
        if (error.code !== 'EEXIST') {
            throw error;
        }
    } finally {
        fs.unlinkSync(tmp);
    }

    flush(path.join(folder, 'new'));
}


// The rename is what makes it done: here it is all the work there is.  Work that
// reaches out to others has to be one that may be done twice.

function work() {
    for (const key of fs.readdirSync(path.join(folder, 'new'))) {
        const event = JSON.parse(fs.readFileSync(path.join(folder, 'new', key)));

        // your work, on event.name and event.entity_id

        fs.renameSync(path.join(folder, 'new', key),
                      path.join(folder, 'done', key));

        console.log(`${event.name} ${event.entity_id}`);
    }
}


function take(request, response) {
    const parts = [];

    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
        const key = request.headers['x-clockodo-idempotency-key'] || '';
        let status = 200;

        // nginx has checked all; what has no key did not come from there

        if (!/^[0-9a-f]{64}$/.test(key)) {
            status = 403;

        } else {
            try {
                store(key, JSON.stringify({
                    name: request.headers['x-clockodo-event'],
                    entity_id: request.headers['x-clockodo-entity-id'] || '',
                    body: Buffer.concat(parts).toString(),
                }));
                setImmediate(work);

            } catch (error) {
                console.error(error.message);
                status = 503;
            }
        }

        response.writeHead(status, { 'Content-Length': 0 }).end();
    });
}


work();

if (!once) {
    http.createServer(take).listen(Number(port), '127.0.0.1');
}
