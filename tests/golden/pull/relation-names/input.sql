CREATE table a(id int primary key, b int, parent int references a(id));
CREATE table b(id int primary key, a int references a(id), c text);
CREATE table "user"(id int primary key, post text);
CREATE table post(id int primary key, "user" int references "user"(id), "user_post_userTouser" int);
CREATE table o1(id int primary key, b_id int unique);
CREATE table o2(id int primary key, a_id int unique references o1(id));
ALTER table o1 add foreign key (b_id) references o2(id);
CREATE table "first table"(id int primary key);
CREATE table "2nd"(id int primary key, "first id" int references "first table"(id), "second id" int references "first table"(id));
