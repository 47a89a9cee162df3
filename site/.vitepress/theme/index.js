// The generator's theme without its fonts: the system's are used, as on the log-in pages.
import theme from "vitepress/theme-without-fonts";
import "./style.css";

export default theme;
