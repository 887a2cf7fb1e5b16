%% Connects to a TLS server and checks its certificate against the CRL that it names,
%% which is fetched by HTTP, lancred being the proxy.
main([Server, Lancred, Anchors]) ->
    {ok, _} = application:ensure_all_started(ssl),
    {ok, _} = application:ensure_all_started(inets),
    ok = httpc:set_options([{proxy, {address(Lancred), []}}]),
    {Host, Port} = address(Server),
    Options = [{verify, verify_peer}, {cacertfile, Anchors}, {server_name_indication, disable},
               {crl_check, peer}, {crl_cache, {ssl_crl_cache, {internal, [{http, 60000}]}}}],
    case ssl:connect(Host, Port, Options) of
        {ok, _} -> io:format("connected~n");
        {error, Reason} -> io:format("refused: ~p~n", [Reason])
    end.

address(Text) ->
    [Host, Port] = string:split(Text, ":"),
    {Host, list_to_integer(Port)}.
