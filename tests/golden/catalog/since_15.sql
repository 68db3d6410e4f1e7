-- What PostgreSQL 15 brought.
CREATE SCHEMA app;
CREATE TABLE app.t (id int PRIMARY KEY, a int, b int, CONSTRAINT once UNIQUE NULLS NOT DISTINCT (a),
  UNIQUE (a, b), FOREIGN KEY (a, b) REFERENCES app.t (a, b) ON DELETE SET NULL (b));
CREATE UNIQUE INDEX alone ON app.t (b) NULLS NOT DISTINCT;
CREATE UNLOGGED TABLE app.u (id serial);
CREATE VIEW app.v WITH (security_invoker = true) AS SELECT t.id FROM app.t, app.u;
