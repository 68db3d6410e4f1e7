-- What PostgreSQL 14 brought.
CREATE SCHEMA app;
CREATE TABLE app.t (a text COMPRESSION pglz, b int);
CREATE FUNCTION app.standard(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT x + (SELECT max(b) FROM app.t); SELECT 2; END;
CREATE PROCEDURE app.out(IN a int, OUT b int) LANGUAGE plpgsql AS $$BEGIN b := a; END$$;
CREATE INDEX bloomed ON app.t USING brin (b int4_bloom_ops (n_distinct_per_range = 100, false_positive_rate = 0.05));
