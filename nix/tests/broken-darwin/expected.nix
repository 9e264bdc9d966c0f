{
  same = true;
  macosStops = true;
}
