CREATE schema s1;
CREATE table s1.t(id int primary key);
CREATE table pt(id int primary key);
