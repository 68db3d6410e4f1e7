CREATE table users(id serial primary key, email text not null unique, full_name text, role text not null, created timestamp(3) not null default now(), upd timestamp(3) not null, tok text not null, extra int);
CREATE type role_t as enum('adm','usr');
CREATE table posts(id serial primary key, author_id int not null references users(id) on delete restrict on update cascade, r role_t not null default 'adm', title text);
CREATE table newt(id int primary key);
