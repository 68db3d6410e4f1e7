CREATE domain d as int check (value > 0);
CREATE domain dt as varchar(10)[];
CREATE domain d2 as d;
CREATE table t(id d primary key, x dt, y d2, z d[]);
CREATE table s(id int primary key, d d default 5);
