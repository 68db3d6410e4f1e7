CREATE table a(id int, constraint my_pk primary key(id));
CREATE table b(id int primary key, a_id int, constraint my_fk foreign key(a_id) references a(id));
CREATE unique index my_u on b(a_id);
CREATE index my_i on b(id, a_id);
