# Nix's own parser reads the text back.
{ toTOML }:
fromTOML (toTOML {
  text = "quote \" backslash \\ newline \n tab \t";
  number = 3;
  fraction = 0.5;
  flag = true;
  list = [ { name = "inline"; } ];
  empty = { };
  "dotted.key" = {
    inner."cfg(all())" = [
      "a"
      "b"
    ];
  };
})
