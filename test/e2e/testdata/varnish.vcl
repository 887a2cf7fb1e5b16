# The default VCL is right: it caches GET by Host and URL, for as long as Cache-Control
# says, and passes POST. HOST and PORT are where lancred is.
vcl 4.1;

backend lancred {
	.host = "HOST";
	.port = "PORT";
}

sub vcl_deliver {
	set resp.http.X-Cache-Hits = obj.hits;
}
