%% SPDX-License-Identifier: Apache-2.0
%% Starts ejabberd and makes its accounts; an expression for erl -eval. Ends the machine when it does not start.
case application:ensure_all_started(ejabberd) of
  {ok, _} ->
    Accounts = string:lexemes(os:getenv("ACCOUNTS", ""), " "),
    [begin
       [User, Password] = string:split(Account, ":"),
       ejabberd_auth:try_register(list_to_binary(User), <<"localhost">>, list_to_binary(Password))
     end || Account <- Accounts],
    io:format("accounts: ~b~n", [length(Accounts)]);
  {error, Reason} ->
    io:format("does not start: ~p~n", [Reason]),
    halt(1)
end.
