-- since 15
CREATE extension hstore;
CREATE extension citext;
CREATE schema x;
CREATE type x.col as enum('a');
CREATE type "Comp X" as (a int);
CREATE table t(id citext primary key, c x.col, d x.col[] , h hstore default '', n name, i int8range, p point, tv tsvector, mac macaddr8, ci cidr[], v int2vector, j jsonpath, vv varchar(5)[], bp2 bpchar(7), b1 bit, iv interval(3), tmz timetz(2), nn numeric(5), nm numeric(5,-2), ii int2[], cx "Comp X", z "Comp X"[]);
