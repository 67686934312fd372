// node-postgres against one endpoint: a pool of many, named statements, transactions, a large answer, a statement
// timeout. Prints "ok" when every answer was the right one. Arguments: host, port, user, database, "tls" or "plain";
// the password is in PGPASSWORD, the authority's certificate in ROOT_CERTIFICATE.
import { readFileSync } from 'node:fs';
import pg from 'pg';

const [host, port, user, database, mode] = process.argv.slice(2);
// `host` again: for an address instead of a name, node-postgres gives Node no name to verify otherwise.
const ssl = mode === 'tls' ? { host, ca: readFileSync(process.env.ROOT_CERTIFICATE, 'utf8') } : false;
const pool = new pg.Pool({ host, port: Number(port), user, database, ssl, max: 16, connectionTimeoutMillis: 20000 });

async function work(number) {
  const client = await pool.connect();
  try {
    await client.query('begin');
    for (let i = 0; i < 50; i++) {
      const { rows } = await client.query({ name: 'sum', text: 'select $1::int * 1000 + $2::int as value',
                                            values: [number, i] });
      if (rows[0].value !== number * 1000 + i) throw new Error(`wrong answer for ${number}/${i}`);
    }
    await client.query('commit');
  } finally {
    client.release();
  }
}

await Promise.all(Array.from({ length: 64 }, (_, number) => work(number)));
const large = await pool.query("select repeat('y', 5000000) as text");
if (large.rows[0].text.length !== 5000000) throw new Error('a large answer was cut');
const client = await pool.connect();
await client.query("set statement_timeout = '200ms'");
const code = await client.query('select pg_sleep(30)').then(() => 'none', (error) => error.code);
client.release(true);
if (code !== '57014') throw new Error(`a statement timeout gave ${code}`);
await pool.end();
console.log('ok');
