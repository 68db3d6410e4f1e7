CREATE table a(id int primary key);
CREATE view v as select id, 'x'::text as t from a;
CREATE materialized view mv as select id from a;
