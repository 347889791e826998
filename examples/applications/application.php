<?php

// An application that takes each of Clockodo's events exactly once.  It writes an
// event down and answers 200; the work is done later, from a timer or a service:
//
//     DATABASE=/var/lib/app/events.db php -S 127.0.0.1:3000 application.php
//     DATABASE=/var/lib/app/events.db php application.php work
//
// With php-fpm it gets the same headers.

$database = new PDO('sqlite:' . getenv('DATABASE'), null, null,
                    [PDO::ATTR_TIMEOUT => 10]);

$database->exec('CREATE TABLE IF NOT EXISTS events (
    key TEXT PRIMARY KEY,           -- a second one changes nothing
    name TEXT NOT NULL, entity_id TEXT NOT NULL, body BLOB NOT NULL,
    done INTEGER NOT NULL DEFAULT 0)');
$database->exec('CREATE TABLE IF NOT EXISTS work (name TEXT, entity_id TEXT)');

PHP_SAPI === 'cli' ? work($database) : take($database);


function take(PDO $database): void
{
    $key = $_SERVER['HTTP_X_CLOCKODO_IDEMPOTENCY_KEY'] ?? '';

    // nginx has checked all; what has no key did not come from there

    if ($key === '') {
        http_response_code(403);
        return;
    }

    $database->prepare('INSERT OR IGNORE INTO events
                        (key, name, entity_id, body) VALUES (?, ?, ?, ?)')
             ->execute([$key, $_SERVER['HTTP_X_CLOCKODO_EVENT'],
                        $_SERVER['HTTP_X_CLOCKODO_ENTITY_ID'] ?? '',
                        file_get_contents('php://input')]);

    // an exception has become a 500 before this line

    http_response_code(200);
}


// What is done and that it was done are one transaction.

function work(PDO $database): void
{
    $events = $database->query('SELECT key, name, entity_id FROM events
                                WHERE NOT done ORDER BY rowid')
                       ->fetchAll(PDO::FETCH_NUM);

    foreach ($events as [$key, $name, $entity_id]) {
        $database->beginTransaction();
        $database->prepare('UPDATE events SET done = 1 WHERE key = ?')
                 ->execute([$key]);

        // your work, in the same database

        $database->prepare('INSERT INTO work VALUES (?, ?)')
                 ->execute([$name, $entity_id]);
        $database->commit();
    }
}
