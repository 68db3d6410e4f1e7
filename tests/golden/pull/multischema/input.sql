CREATE schema s1;
CREATE schema s2;
CREATE type s1.e as enum('a');
CREATE type s2.e as enum('b');
CREATE table s1.t(id int primary key, e s1.e);
CREATE table s2.t(id int primary key, tid int references s1.t(id), e s2.e);
CREATE table s2.uniq(id int primary key);
