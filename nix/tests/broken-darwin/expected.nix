{
  same = true;
  macosStops = false;
}
