# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Part of lab-lib.sh: the web server of each server namespace.

lab_nginx_conf()
{
	cat <<CONF
user root;
daemon off;
worker_processes 1;
pid $2/nginx.pid;
error_log $2/error.log;
events { worker_connections 4096; }
http {
	log_format lab '\$msec \$remote_addr:\$remote_port "\$request" \$status \$body_bytes_sent \$request_completion';
	access_log $2/access.log lab;
	client_body_temp_path $2/tmp;
	proxy_temp_path $2/tmp;
	fastcgi_temp_path $2/tmp;
	uwsgi_temp_path $2/tmp;
	scgi_temp_path $2/tmp;
	# /1m.bin?rate=40k: no faster than 40 kB a second
	map \$arg_rate \$rate { default \$arg_rate; '' 0; }
	keepalive_timeout 600;
	keepalive_requests 1000000;
	client_header_timeout 600;
	server {
		listen 80 backlog=4096;
		listen [::]:80 backlog=4096;
		add_header X-Server ns$1 always;
		limit_rate \$rate;
		root $2/html;
	}
}
CONF
}

lab_nginx_is_up()
{
	[[ $(lab_exec "ns$1" ss -Hltn 'sport = :80' | wc -l) == 2 ]]
}

lab_nginx_up()
{
	local dir=$LAB_DIR/ns$1

	mkdir -p "$dir/html" "$dir/tmp"
	echo "Hello from ns$1" >"$dir/html/index.html"
	ln -s "$LAB_DIR/1m.bin" "$dir/html/1m.bin"
	lab_nginx_conf "$1" "$dir" >"$dir/nginx.conf"
	lab_spawn "ns$1" "ns$1/nginx.log" nginx -p "$dir" -e "$dir/error.log" -c "$dir/nginx.conf"
	lab_wait 10 lab_nginx_is_up "$1" || lab_fail "nginx does not start: see $dir/error.log"
}
