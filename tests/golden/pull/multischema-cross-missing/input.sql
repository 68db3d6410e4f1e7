CREATE schema s1;
CREATE schema s2;
CREATE table s1.t(id int primary key);
CREATE table s2.t(id int primary key, tid int references s1.t(id));
