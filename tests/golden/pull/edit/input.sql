CREATE type state as enum ('open', 'packed', 'paid');
CREATE type kind as enum ('a');
CREATE table people(id serial primary key, email text not null, first_name varchar(80) not null, middle text, last_name text, updated timestamp(3) not null, kind kind);
CREATE index by_name on people(first_name, last_name);
CREATE unique index people_last_name_key on people(last_name);
CREATE table orders(uuid text primary key, buyer_id int references people(id) on update cascade, state state not null default 'paid', total numeric(10,2) not null default 0, gift_for int references people(id));
CREATE index on orders(state);
CREATE table "Bill"(id int primary key, order_id text unique references orders(uuid));
