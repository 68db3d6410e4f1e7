-- since 18
create extension btree_gist;
create table room(id int primary key);
create table booking(room int not null, during tsrange not null, n int, primary key (room, during without overlaps));
create table stay(id int primary key, room int, during tsrange, foreign key (room, period during) references booking (room, period during));
create table uq(id int primary key, k int not null, v int4range not null, constraint uq_k_v unique (k, v without overlaps));
create table nn(id int primary key, a int constraint a_must not null, b int, c int, constraint c_must not null c);
alter table nn add constraint b_must not null b not valid;
create table par(id int primary key);
create table chi(id int primary key, pid int, constraint chi_fk foreign key (pid) references par(id) not enforced, qty int, constraint q_ck check (qty > 0) not enforced, dbl int generated always as (qty*2) virtual);
