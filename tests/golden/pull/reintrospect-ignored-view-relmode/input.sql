CREATE table a(id int primary key, u int);
CREATE table b(id int primary key, a_id int);
