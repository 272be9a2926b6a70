// What the drivers of the peers share: one clock for start and end, and inserting a job so that the time of its commit is known.
import pg from 'pg';

export const url = process.env.DATABASE_URL;
export const jobs = Number(process.env.JOBS ?? 1000);
export const rate = Number(process.env.RATE ?? 0);
export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
export const clock = () => performance.timeOrigin + performance.now();
export const pool = new pg.Pool({ connectionString: url, max: 8 });

/** Waits until a query's first column is true. */
export async function until(sql, values = []) {
  for (;;) {
    const { rows } = await pool.query(sql, values);
    if (Object.values(rows[0])[0] === true) return;
    await pause(10);
  }
}

/** Holds a snapshot open, beside four readers that overlap, until the function that it returns is called. */
export async function holdSnapshot() {
  const holder = await pool.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await holder.query('SELECT count(*) FROM pg_class');
  let stopped = false;
  const readers = Promise.all([0, 1, 2, 3].map(async offset => {
    await pause(offset * 500);
    while (!stopped) await pool.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class; SELECT pg_sleep(2); COMMIT');
  }));
  return async () => {
    stopped = true;
    await readers;
    await holder.query('ROLLBACK');
    holder.release();
  };
}

/** Times from just before the commit of an insert to the start of its job. insert(client, id) inserts; started is a map that the handler fills. */
export async function latencies(insert, started, count) {
  const committed = new Map();
  const client = await pool.connect();
  for (let i = 0; i < count; i++) {
    const id = `probe-${i}`;
    await client.query('BEGIN');
    await insert(client, id);
    committed.set(id, clock());
    await client.query('COMMIT');
    await pause(5 + Math.random() * 15);
  }
  client.release();
  while ([...committed.keys()].some(id => !started.has(id))) await pause(10);
  return [...committed].map(([id, at]) => started.get(id) - at);
}

/** Inserts jobs at a steady rate in batches, until stopped. insertMany(count) inserts. */
export function pace(insertMany, perSecond) {
  let stopped = false;
  const running = (async () => {
    const begun = clock();
    let sent = 0;
    while (!stopped) {
      const due = Math.floor((clock() - begun) / 1000 * perSecond) - sent;
      if (due > 0) {
        await insertMany(due);
        sent += due;
      }
      await pause(5);
    }
  })();
  return async () => {
    stopped = true;
    await running;
  };
}

export function result(value) {
  console.log(JSON.stringify(value));
  process.exit(0);
}
